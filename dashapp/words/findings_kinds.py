"""What stands out, kind by kind: its name, its sentence, and where to look first.

Korean puts no particle that depends on the sound before it behind a value.
"""

TEXTS: dict[str, tuple[str, str]] = {
    "named_traffic_spike": ("요청 급증", "Traffic spike"),
    "named_traffic_drop": ("요청 급감", "Traffic drop"),
    "named_outage": ("요청 중단", "No requests"),
    "named_error_burst": ("오류 급증", "Error burst"),
    "named_latency_shift": ("응답시간 증가", "Slower"),
    "named_latency_tail": ("느린 요청 증가", "Slow tail"),
    "named_latency_drift": ("응답시간 점증", "Slowly slower"),
    "named_latency_band": ("시간대 지연", "Slow hours"),
    "named_new_failing_route": ("실패하는 새 경로", "New route fails"),
    "named_client_volume": ("과다 호출", "Heavy client"),
    "named_scanner": ("경로 탐색", "Scanner"),
    "named_credential_guessing": ("로그인 시도 반복", "Credential guessing"),
    "named_scraper": ("일괄 수집", "Scraper"),
    "named_canary_lost": ("수집 중단", "Collecting fails"),
    "told_traffic_spike": (
        "{subject}의 요청이 {when} {observed}\u2060까지 늘었습니다({against}).",
        "Requests to {subject} rose to {observed} {when} ({against}).",
    ),
    "told_traffic_drop": (
        "{subject}의 요청이 {when} {observed}\u2060까지 줄었습니다({against}).",
        "Requests to {subject} fell to {observed} {when} ({against}).",
    ),
    "told_outage": (
        "{subject}의 요청이 {when} 끊겼습니다({usual}).",
        "Requests to {subject} stopped {when} ({usual}).",
    ),
    "told_error_burst": (
        "{subject}의 {measure}이 {when} {observed}\u2060까지 올랐습니다({against}).",
        "The {measure} of {subject} rose to {observed} {when} ({against}).",
    ),
    "told_latency_shift": (
        "{subject}의 {latency}이 {when} {observed}\u2060까지 길어졌습니다({against}).",
        "The {latency} of {subject} rose to {observed} {when} ({against}).",
    ),
    "told_latency_tail": (
        "{subject}의 느린 요청들이 {when} 더 느려졌습니다. {latency}이 {observed}\u2060까지 길어졌고({against}), "
        "보통의 요청은 그대로입니다.",
        "The slow requests of {subject} became slower {when}: the {latency} rose to {observed} ({against}), "
        "while most requests stayed as they were.",
    ),
    "told_latency_drift": (
        "{subject}의 {latency}이 {when} 조금씩 길어져 {observed}\u2060까지 왔습니다({against}).",
        "The {latency} of {subject} crept up to {observed} {when} ({against}).",
    ),
    "told_latency_band": (
        "{subject}의 {latency}이 {when} 날마다 {hours} {observed}\u2060까지 길어졌습니다({against}).",
        "The {latency} of {subject} rose {when}, day after day {hours}, to {observed} ({against}).",
    ),
    "told_new_failing_route": (
        "처음 보는 엔드포인트 {subject}에서 {when} {part} 실패했습니다.",
        "On {subject}, an endpoint not seen before, {part} failed {when}.",
    ),
    "told_client_volume": (
        "{client}에서 {when} {at}{part} 왔습니다({against}).",
        "{client} sent {part}{at} {when} ({against}).",
    ),
    "told_scanner": (
        "{client}에서 {when} {at}존재하지 않는 경로 {number}개를 요청했습니다{examples}.",
        "{client} asked for {number} paths that do not exist{at} {when}{examples}.",
    ),
    "told_credential_guessing": (
        "{client}에서 {when} {at}한 로그인 시도가 {number}번 거부되었습니다.",
        "Logins from {client} were refused {number} times{at} {when}.",
    ),
    "told_scraper": (
        "{client}에서 {when} {at}요청을 차례로 보내 서로 다른 경로 {number}개를 읽었습니다.",
        "{client} read {number} different paths one after the other{at} {when}.",
    ),
    "told_canary_lost": (
        "시험 기록이 {when} {observed} 동안 저장되지 않았습니다. {subject}의 로그도 저장되지 않을 수 있습니다.",
        "Test records were not stored {when}, for {observed}. The logs of {subject} may not be stored either.",
    ),
    "check_traffic_spike": (
        "먼저 이 시간에 요청이 가장 많은 클라이언트와 엔드포인트를 확인하십시오.",
        "Look first at the clients and endpoints with the most requests of this time.",
    ),
    "check_traffic_drop": (
        "먼저 로그가 계속 도착하는지 Collection에서 확인하십시오.",
        "Look first on Collection whether logs still arrive.",
    ),
    "check_outage": (
        "먼저 로그가 계속 도착하는지 Collection에서 확인하십시오.",
        "Look first on Collection whether logs still arrive.",
    ),
    "check_error_burst": (
        "먼저 실패한 요청들의 공통점(시각, 클라이언트, 버전)을 확인하십시오.",
        "See first what the failed requests have in common: time, client, version.",
    ),
    "check_latency_shift": (
        "먼저 느린 요청들의 공통점과 시작 시각 직전의 변경을 확인하십시오.",
        "See first what the slow requests have in common, and what was changed just before it began.",
    ),
    "check_latency_tail": (
        "먼저 가장 느린 요청들의 공통점을 확인하십시오.",
        "See first what the slowest requests have in common.",
    ),
    "check_latency_drift": (
        "먼저 데이터의 크기, 대기열, 메모리가 같은 속도로 늘었는지 확인하십시오.",
        "See first whether data, queues or memory grew at the same pace.",
    ),
    "check_latency_band": (
        "먼저 이 시간대에 도는 작업의 목록을 확인하십시오.",
        "Look first at the jobs that run in these hours.",
    ),
    "check_new_failing_route": (
        "먼저 이 경로를 누가 부르는지, 열려 있어야 하는 경로인지 확인하십시오.",
        "See first who calls it, and whether it is meant to be there.",
    ),
    "check_client_volume": (
        "먼저 이 클라이언트가 무엇을 불렀는지 확인하십시오.",
        "See first what this client called.",
    ),
    "check_scanner": (
        "먼저 200으로 응답한 경로가 있는지 확인하십시오.",
        "See first whether any of the paths was answered with 200.",
    ),
    "check_credential_guessing": (
        "먼저 거부 뒤에 성공한 로그인이 있는지 확인하십시오.",
        "See first whether a login succeeded after the refusals.",
    ),
    "check_canary_lost": (
        "먼저 서버 상태 페이지(/health)에서 어느 부분이 멈췄는지 확인하십시오.",
        "Look first at the state of the servers (/health): it says which part fails.",
    ),
    "check_scraper": (
        "먼저 사용자 에이전트와 읽은 경로를 확인하십시오.",
        "Look first at the user agent and the paths that were read.",
    ),
}
