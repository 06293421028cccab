"""What stands out: causes and advice."""

TEXTS: dict[str, tuple[str, str]] = {
    "findings": ("발견 사항", "Findings"),
    "no_findings": ("평소와 다른 점이 없습니다.", "Nothing differs from the usual."),
    "more_findings": ("그 밖에 {n}건", "{n} more"),
    "all_requests": ("전체 요청", "All requests"),
    "open": ("진행 중", "Ongoing"),
    "closed": ("종료", "Ended"),
    "when_open": ("{start}부터 {n}분째", "since {start}, {n} min"),
    "when_whole": ("기간 전체", "the whole range"),
    "see_requests": ("요청 보기", "See the requests"),
    "show_since": ("{start} 이후만 보기", "Show since {start}"),
    "show_span": ("{start} – {end}만 보기", "Show {start} – {end}"),
    "finding_traffic_spike": ("{observed}건 (예상 {usual}건)", "{observed} requests ({usual} expected)"),
    "finding_traffic_drop": ("{observed}건 (예상 {usual}건)", "{observed} requests ({usual} expected)"),
    "finding_error_burst": ("오류율 {observed} (다른 때 {usual})", "error rate {observed} ({usual} otherwise)"),
    "finding_latency_shift": ("p95 {observed} (직전 {usual})", "p95 {observed} ({usual} before)"),
    "band_traffic_spike": ("요청 급증", "traffic spike"),
    "band_traffic_drop": ("요청 급감", "traffic drop"),
    "band_error_burst": ("오류 급증", "error burst"),
    "say_traffic_spike": (
        "{subject}이 {when} {observed}건 들어왔습니다. 바로 앞 시간으로 보아 예상한 수는 {usual}건입니다.",
        "{subject}: {when} there were {observed}, where the time before lets one expect {usual}.",
    ),
    "say_traffic_drop": (
        "{subject}이 {when} {observed}건으로 줄었습니다. 바로 앞 시간으로 보아 예상한 수는 {usual}건입니다.",
        "{subject}: {when} there were only {observed}, where the time before lets one expect {usual}.",
    ),
    "say_error_burst": (
        "{subject}의 오류율이 {when} {observed}\u2060입니다. 다른 때에는 {usual}\u2060였습니다.",
        "{subject}: the error rate {when} is {observed}; otherwise it was {usual}.",
    ),
    "say_latency_shift": (
        "{subject}의 p95 응답시간이 {when} {observed}\u2060입니다. 바로 앞의 같은 길이 기간에는 {usual}\u2060였습니다.",
        "{subject}: the p95 latency of {when} is {observed}; in the time before, as long, it was {usual}.",
    ),
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
}
