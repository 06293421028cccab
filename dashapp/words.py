"""Every sentence and label of the pages, in Korean and English. Tabs and time buttons are English in both."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import Any

LANGUAGES = ("ko", "en")

# key: (Korean, English). Both name the same facts in the same order.
CATALOGUE: dict[str, tuple[str, str]] = {
    # shell
    "title": ("서버 로그 데이터 분석", "Server log data analysis"),
    "pages": ("페이지", "Pages"),
    "language": ("언어", "Language"),
    "to_dark": ("어두운 테마와 밝은 테마 바꾸기", "Switch between the dark and the light theme"),
    "range_and_filters": ("기간과 필터", "Range and filters"),
    "skip": ("본문으로 건너뛰기", "Skip to the content"),
    "refresh": ("새로고침", "Refresh"),
    "service": ("서비스", "Service"),
    "all_services": ("모든 서비스", "All services"),
    "remove_filter": ("{name} 필터 지우기", "Remove the {name} filter"),
    "moment_hint": ("예: 2026-05-01 09:30", "for example 2026-05-01 09:30"),
    "not_found": ("이 주소에는 페이지가 없습니다.", "There is no page at this address."),
    "to_overview": ("Overview 열기", "Open Overview"),
    "needs_script": ("이 페이지는 JavaScript가 필요합니다.", "This page needs JavaScript."),
    # what cannot be meant, and what failed
    "bad_last": (
        "last={given}은 쓸 수 없습니다. {allowed} 중 하나를 쓰십시오. 지금은 Last 1h를 보여줍니다.",
        "last={given} is not a range. Use one of {allowed}. Showing Last 1h.",
    ),
    "bad_pair": (
        "Start와 End는 함께 있어야 합니다. 지금은 Last 1h를 보여줍니다.",
        "Start and End go together. Showing Last 1h.",
    ),
    "bad_moment": (
        "{name}에 적은 '{given}'은 쓸 수 없는 시각입니다. 2026-05-01 09:30처럼 쓰십시오. 지금은 Last 1h를 보여줍니다.",
        "{name} '{given}' is not a usable time. Write it like 2026-05-01 09:30. Showing Last 1h.",
    ),
    "bad_order": (
        "Start는 End보다 앞서야 합니다. 지금은 Last 1h를 보여줍니다.",
        "Start must be before End. Showing Last 1h.",
    ),
    "bad_status": (
        "status={given}은 상태 코드가 아닙니다. 404 또는 5xx처럼 쓰십시오. 이 필터는 빼고 보여줍니다.",
        "status={given} is not a status code. Write 404 or 5xx. Showing without this filter.",
    ),
    "bad_client": (
        "client_ip={given}은 IP 주소가 아닙니다. 이 필터는 빼고 보여줍니다.",
        "client_ip={given} is not an IP address. Showing without this filter.",
    ),
    "database_away": (
        "데이터베이스가 답하지 않아 숫자를 새로 읽지 못했습니다. 화면의 숫자는 마지막으로 읽은 값입니다.",
        "The database does not answer, so the numbers could not be read again. What you see was read last.",
    ),
    "failed": (
        "화면의 일부를 만들지 못했습니다. 서버 로그에서 요청 번호 {request}를 찾아보십시오.",
        "A part of the page could not be made. Look for request {request} in the server's log.",
    ),
    # words of every page
    "requests": ("요청 수", "Requests"),
    "requests_unit": ("건", ""),
    "n_requests": ("{n}건", "{n} requests"),
    "n_times": ("{n}건", "{n}"),
    "error_rate": ("오류율", "Error rate"),
    "errors": ("오류", "Errors"),
    "p95_latency": ("p95 응답시간", "p95 latency"),
    "throughput": ("처리량", "Throughput"),
    "latency": ("응답시간", "Latency"),
    "endpoint": ("엔드포인트", "Endpoint"),
    "calls": ("호출", "Calls"),
    "share": ("비중", "Share"),
    "mean": ("평균", "Mean"),
    "max": ("최대", "Max"),
    "total": ("합계", "Total"),
    "bound": ("오차 {bound}", "{bound}"),
    "no_data": ("데이터 없음", "No data"),
    "no_latency": ("이 로그에는 응답시간이 없습니다.", "There is no latency in this log."),
    "per_minutes": ("{n}분 단위", "per {n} min"),
    "per_hours": ("{n}시간 단위", "per {n} h"),
    "per_days": ("{n}일 단위", "per {n} d"),
    "empty_title": ("이 기간에는 로그가 없습니다.", "There are no requests in this range."),
    "empty_filtered": (
        "이 기간에는 필터에 맞는 로그가 없습니다.",
        "There are no requests in this range that match the filters.",
    ),
    "empty_where": ("저장된 로그는 {first}부터 {last}까지 있습니다.", "Stored requests run from {first} to {last}."),
    "empty_go": ("데이터가 있는 기간 보기", "Show where the data is"),
    "empty_none": (
        "아직 저장된 로그가 없습니다. 로그가 도착하면 여기에 나타납니다.",
        "Nothing is stored yet. Requests appear here once they arrive.",
    ),
    "routes_capped": (
        "경로 {kept}개를 따로 세고, 그 밖의 경로는 {other}로 합칩니다(설정 ROUTE_LIMIT).",
        "{kept} routes are counted one by one; further ones are summed as {other} (setting ROUTE_LIMIT).",
    ),
    "unfinished": ("{through} 이후는 아직 확정되지 않았습니다", "not final after {through}"),
    # Overview
    "insight": ("핵심 인사이트", "Key insight"),
    "sev_high": ("높음", "High"),
    "sev_medium": ("보통", "Medium"),
    "sev_low": ("낮음", "Low"),
    "say_peak": (
        "요청은 {when}에 가장 많았고 평균보다 {more} 많습니다({n}).",
        "Requests peaked at {when}, {more} above the average ({n}).",
    ),
    "say_even": (
        "요청은 기간 내내 고르게 들어왔습니다(가장 많은 {when}도 평균과 {more} 차이).",
        "Requests came evenly over the range (the peak at {when} is within {more} of the average).",
    ),
    "say_failing": (
        "{endpoint}의 5xx 비율이 {rate}로 가장 높습니다({n} 중 {failed}, 전체 5xx의 {part}).",
        "{endpoint} has the highest 5xx rate, {rate} ({failed} of {n}, {part} of all 5xx).",
    ),
    "say_no_failing": (
        "5xx가 1%를 넘은 엔드포인트는 없습니다.",
        "No endpoint answered more than 1% of its calls with 5xx.",
    ),
    "say_slow": (
        "가장 느린 엔드포인트는 p95가 {p95}인 {endpoint}입니다.",
        "The slowest endpoint is {endpoint}, with a p95 of {p95}.",
    ),
    "per_minute_mean": ("분당 평균 {n}건", "{n} per minute"),
    "client_server": ("4xx {client} · 5xx {server}", "4xx {client} · 5xx {server}"),
    "p50_p99": ("p50 {p50} · p99 {p99}", "p50 {p50} · p99 {p99}"),
    "highest": ("최고 {value} ({when})", "peak {value} ({when})"),
    "traffic_chart": ("시간별 요청 수와 오류 수", "Requests and errors over time"),
    "errors_only": ("오류만 (4xx, 5xx) · 자체 눈금", "Errors only (4xx, 5xx) · own scale"),
    "latency_chart": ("시간별 응답시간", "Latency over time"),
    "latency_unit": ("ms, 로그 눈금, {bucket}", "ms, log scale, {bucket}"),
    "percentiles": ("응답시간 백분위수", "Latency percentiles"),
    "bound_percentiles": (
        "백분위수 {bound} 이내, 평균과 최대는 정확한 값",
        "percentiles within {bound}; mean and max are exact",
    ),
    "statuses": ("상태 코드 비율", "Status codes"),
    "class_1xx": ("정보", "Informational"),
    "class_2xx": ("성공", "Success"),
    "class_3xx": ("리다이렉트", "Redirect"),
    "class_4xx": ("클라이언트 오류", "Client error"),
    "class_5xx": ("서버 오류", "Server error"),
    "frequent_errors": ("가장 많은 오류 코드", "Most frequent error codes"),
    "no_errors": ("이 기간에는 오류가 없습니다.", "There are no errors in this range."),
    "slowest": ("느린 엔드포인트", "Slowest endpoints"),
    "slowest_unit": ("p95 기준, ms", "by p95, ms"),
    "failing": ("실패가 많은 엔드포인트", "Most failing endpoints"),
    "failing_unit": ("오류 수 기준", "by errors"),
    # Endpoint Analysis
    "endpoints": ("엔드포인트", "Endpoints"),
    "endpoints_unit": ("응답시간 단위 ms, 백분위수 오차 {bound}", "latency in ms, percentiles {bound}"),
    "find_endpoint": ("메서드 또는 경로 검색", "Search method or route"),
    "count_by": ("묶는 기준", "Count by"),
    "method": ("메서드", "Method"),
    "route": ("경로", "Route"),
    # Pattern Analysis
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
    "few": ("적음", "Few"),
    "many": ("많음", "Many"),
    # what stands out
    "cause_traffic_spike": (
        "{span}에 요청이 {observed}건으로, 바로 앞 시간으로 보아 예상한 {expected}건보다 훨씬 많습니다. "
        "한 클라이언트의 반복 호출, 배치 작업, 재시도 폭주일 수 있습니다.",
        "{span} had {observed} requests where the time before it lets one expect {expected}. "
        "One client calling in a loop, a batch job or a storm of retries can be behind it.",
    ),
    "advice_traffic_spike": (
        "이 시간의 상위 클라이언트와 엔드포인트를 확인하고, 몇 곳에 몰려 있으면 호출 횟수를 제한하십시오.",
        "Look at the clients and endpoints with the most requests in this time; limit the rate if few stand out.",
    ),
    "cause_traffic_drop": (
        "{span}에 요청이 {observed}건으로, 바로 앞 시간으로 보아 예상한 {expected}건보다 훨씬 적습니다. "
        "서비스 중단, 네트워크 장애 또는 로그 수집 중단일 수 있습니다.",
        "{span} had {observed} requests where the time before it lets one expect {expected}. "
        "The service, its network or the shipping of its logs may have stopped.",
    ),
    "advice_traffic_drop": (
        "먼저 로그가 계속 도착하는지 확인하고, 도착하고 있으면 서비스와 그 앞의 프록시를 확인하십시오.",
        "See first whether logs still arrive; if they do, look at the service and the proxy in front of it.",
    ),
    "cause_error_burst": (
        "{subject}의 오류율이 {span}에 {observed}였고 다른 때에는 {expected}였습니다. "
        "배포, 설정 변경 또는 의존하는 서비스의 장애일 수 있습니다.",
        "{subject} had an error rate of {observed} in {span} and of {expected} otherwise. "
        "A deployment, a changed setting or a failing dependency can be behind it.",
    ),
    "advice_error_burst": (
        "이 시간의 상태 코드를 나누어 보고, 시작 시각 직전의 배포와 의존 서비스의 상태를 확인하십시오.",
        "Tell the status codes of this time apart, and look at deployments and dependencies just before it began.",
    ),
    "cause_latency_shift": (
        "{subject}의 p95 응답시간이 {observed}로, 바로 앞의 같은 길이 기간({expected})보다 크게 늘었습니다. "
        "느려진 쿼리, 부하 증가 또는 의존하는 서비스의 지연일 수 있습니다.",
        "{subject} has a p95 of {observed}; the time before it, as long, had {expected}. "
        "A query that became slow, more load or a slow dependency can be behind it.",
    ),
    "advice_latency_shift": (
        "가장 느린 요청들의 공통점을 확인하고, 그 요청이 쓰는 쿼리와 외부 호출의 시간을 재십시오.",
        "See what its slowest requests have in common, and time the queries and calls that they make.",
    ),
    # Realtime Logs
    "realtime": ("실시간", "Live"),
    "realtime_list": ("도착한 요청, 최신순", "Requests as they arrive, newest first"),
    "realtime_keeps": ("화면에 {n}줄까지 유지", "keeps {n} rows"),
    "realtime_paused": ("멈춤", "Paused"),
    "realtime_waiting": ("새 로그 {n}줄", "{n} new rows"),
    "realtime_none": (
        "아직 도착한 요청이 없습니다. 도착하는 대로 나타납니다.",
        "No request has arrived yet. They appear as they do.",
    ),
    "realtime_away": (
        "데이터베이스가 답하지 않습니다. 계속 다시 시도합니다.",
        "The database does not answer. Trying on.",
    ),
    "realtime_skipped": (
        "{n}줄을 건너뛰었습니다. 한꺼번에 도착해 최신 줄만 보여줍니다. 저장된 기록에는 모두 있습니다.",
        "{n} rows skipped. They arrived at once and only the newest are shown; all are stored.",
    ),
    "realtime_last": ("마지막 도착", "last arrival"),
    "status_filter": ("상태 코드 필터", "Status classes"),
    "time_in": ("시각 ({zone})", "Time ({zone})"),
    "status": ("상태", "Status"),
    "path": ("경로", "Path"),
    "client": ("클라이언트", "Client"),
    # AI 분석
    "ai": ("AI 분석", "AI analysis"),
    "ai_button": ("최근 5분 분석", "Analyse last 5 minutes"),
    "ai_rules": ("규칙 기반", "Rule-based"),
    "ai_intro": (
        "버튼을 누르면 최근 5분을 그 앞의 5분과 비교합니다. 자동으로 실행하지 않습니다.",
        "The button compares the last 5 minutes with the 5 before. Nothing runs by itself.",
    ),
    "ai_no_key": (
        "OPENAI_API_KEY가 설정되지 않아 모델 대신 정해진 규칙으로 분석합니다.",
        "OPENAI_API_KEY is not set, so fixed rules do the analysis, not a model.",
    ),
    "ai_not_connected": (
        "이 버전에는 모델이 연결되어 있지 않아 정해진 규칙으로 분석합니다.",
        "The model is not connected in this version, so fixed rules do the analysis.",
    ),
    "ai_sources": ("결과의 출처", "Where a result comes from"),
    "ai_rules_mean": ("모델 없이 정해진 규칙으로 찾은 결과입니다.", "Found by fixed rules, without a model."),
    "say_five": (
        "최근 5분 동안 요청은 {n}이고, 그 앞의 5분({before})과 비교해 {change}입니다.",
        "The last 5 minutes had {n}, {change} against the 5 minutes before ({before}).",
    ),
    "say_five_new": (
        "최근 5분 동안 요청은 {n}이고, 그 앞의 5분에는 없었습니다.",
        "The last 5 minutes had {n}; the 5 minutes before had none.",
    ),
    "say_five_none": (
        "최근 5분 동안 요청이 없습니다. 그 앞의 5분에는 {before}이었습니다.",
        "The last 5 minutes had no requests. The 5 minutes before had {before}.",
    ),
    "say_errors": (
        "오류율은 {rate}(4xx {client}, 5xx {server})이고, 앞의 5분은 {before}입니다.",
        "The error rate is {rate} (4xx {client}, 5xx {server}); the 5 minutes before had {before}.",
    ),
    "say_p95": (
        "p95 응답시간은 {p95}이고, 앞의 5분은 {before}입니다(오차 {bound}).",
        "The p95 latency is {p95}; the 5 minutes before had {before} (error {bound}).",
    ),
    "say_most_failing": (
        "오류가 가장 많은 엔드포인트는 {endpoint}입니다({n} 중 4xx {client}, 5xx {server}).",
        "The endpoint with the most errors is {endpoint} (4xx {client}, 5xx {server} of {n}).",
    ),
    "say_no_errors": ("최근 5분 동안 오류가 없습니다.", "The last 5 minutes had no errors."),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue in one language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """Text of a key with its values filled in."""
        return self._template(key).format(**values)

    def rich(self, key: str, **parts: Any) -> list[Any]:
        """Text of a key with components in the places of its values, as children."""
        children: list[Any] = []
        for text, name, _, _ in Formatter().parse(self._template(key)):
            children += [text] if text else []
            children += [parts[name]] if name else []
        return children

    def _template(self, key: str) -> str:
        return CATALOGUE[key][LANGUAGES.index(self.language)]
