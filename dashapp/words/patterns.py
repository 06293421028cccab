"""Pattern Analysis."""

TEXTS: dict[str, tuple[str, str]] = {
    "heat": ("요일과 시간대별 요청 수", "Requests by weekday and hour"),
    "heat_unit": ("한 시간 평균 건수, 제곱근 눈금, {zone}", "average per hour, square-root scale, {zone}"),
    "heat_hover": ("한 시간 평균 {mean}건<br>합계 {total}건", "{mean} per hour on average<br>{total} in total"),
    "weekdays": ("월 화 수 목 금 토 일", "Mon Tue Wed Thu Fri Sat Sun"),
    "say_busiest": (
        "{busiest}에 요청이 가장 많고(한 시간 평균 {most}), {quietest}에 가장 적습니다(한 시간 평균 {least}).",
        "The busiest hour is {busiest} ({most} on average), the quietest is {quietest} ({least} on average).",
    ),
    "say_too_short": (
        "기간이 짧아 시간대를 비교하지 않습니다.",
        "The range is too short to compare hours.",
    ),
    "week_hour": ("{day}요일 {hour}", "{day} {hour}"),
    "weeks_advice": (
        "요일과 시간대를 비교하려면 긴 기간이 필요합니다.",
        "Comparing weekdays and hours takes a longer range.",
    ),
    "show_range": ("Last {name} 보기", "Show Last {name}"),
    "say_failing_hour": (
        "오류는 {when}에 가장 많습니다({n}, 오류율 {rate}).",
        "Most errors fall into {when} ({n}, an error rate of {rate}).",
    ),
}
