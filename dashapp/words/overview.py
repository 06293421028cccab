"""Overview."""

TEXTS: dict[str, tuple[str, str]] = {
    "say_chosen": ("필터에 맞는 요청은 {n}건입니다.", "{n} requests match the filters."),
    "key_figures": ("주요 수치", "Key figures"),
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
}
