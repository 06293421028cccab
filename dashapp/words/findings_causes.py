"""Presumed causes of what stands out, and what can be done. A cause is presumed, and says so."""

TEXTS: dict[str, tuple[str, str]] = {
    "why_demand": (
        "이용이 실제로 늘었거나, 행사나 재시도 반복 때문으로 보입니다.",
        "More use, a campaign or a loop of retries is probably behind it.",
    ),
    "why_upstream": (
        "요청을 보내던 쪽이 멈췄거나 다른 곳으로 보내는 것으로 보입니다.",
        "What used to send these requests has probably stopped, or sends them elsewhere.",
    ),
    "why_down": (
        "서비스가 응답하지 않거나, 그 로그가 도착하지 않는 것으로 보입니다.",
        "The service probably does not answer, or its log does not arrive.",
    ),
    "why_fault": (
        "이 엔드포인트 자체나 이것만 쓰는 자원에 문제가 있는 것으로 보입니다.",
        "The endpoint itself, or something only it uses, is probably at fault.",
    ),
    "why_shared_fault": (
        "여러 엔드포인트가 함께 쓰는 자원(데이터베이스, 캐시, 인증 등)의 문제로 보입니다.",
        "Something that many endpoints use, such as a database, a cache or the login, is probably at fault.",
    ),
    "why_network": (
        "이 대역의 클라이언트와 서비스 사이의 네트워크 문제로 보입니다.",
        "What lies between this network of clients and the service is probably at fault.",
    ),
    "why_load": (
        "처리할 요청이 많아져 느려진 것으로 보입니다.",
        "It is probably slower because more is asked of it.",
    ),
    "why_contention": (
        "요청의 일부가 무엇인가를 기다리는 것으로 보입니다(잠금, 가득 찬 연결 풀, 느린 인스턴스 하나).",
        "A part of the requests probably waits for something: a lock, a full pool, one slow instance.",
    ),
    "why_growth": (
        "데이터나 대기열이 계속 커지는 것으로 보입니다.",
        "Data or a queue probably keeps growing.",
    ),
    "why_schedule": (
        "날마다 같은 시간에 도는 작업의 영향으로 보입니다.",
        "Something that runs at the same hours every day is probably behind it.",
    ),
    "why_deploy": (
        "새 버전의 배포 때문으로 보입니다.",
        "A new version that was deployed is probably behind it.",
    ),
    "why_call_of": (
        "{related} 호출 뒤에{lag} 나타나므로{strength} 그 영향으로 보이지만, 앞뒤 순서일 뿐 증명된 것은 아닙니다.",
        "It comes after calls of {related}{lag}{strength}, which may be behind it; "
        "that one follows the other is no proof.",
    ),
    "why_call_strength": (
        "(호출 뒤에는 {after}, 그 밖에는 {other}\u2060가 실패)",
        " ({after} fail after them, {other} otherwise)",
    ),
    "why_call": (
        "앞서 온 다른 엔드포인트의 호출이 영향을 준 것으로 보이지만, 증명된 것은 아닙니다.",
        "The calls of the other endpoint before it may be behind it; this is not proven.",
    ),
    "why_new_route": (
        "새로 열렸지만 아직 제대로 동작하지 않는 경로로 보입니다.",
        "It is probably new and does not work yet.",
    ),
    "why_probing": (
        "취약한 곳을 찾는 자동 탐색으로 보입니다.",
        "Somebody is probably looking for holes with a tool.",
    ),
    "why_attack": (
        "비밀번호를 알아내려는 시도로 보입니다.",
        "Somebody is probably trying passwords.",
    ),
    "why_automation": (
        "내용을 모두 읽어 가는 프로그램으로 보입니다.",
        "A program that reads everything is probably behind it.",
    ),
    "why_client": (
        "이 클라이언트 하나의 동작 때문으로 보입니다.",
        "What this one client does is probably behind it.",
    ),
    "why_collection": (
        "수집 서버가 응답하지 않거나, 토큰이 맞지 않거나, 데이터베이스가 쓰기를 받지 못하는 것으로 보입니다.",
        "The ingest server probably does not answer, refuses the token, or cannot write to the database.",
    ),
    "why_unknown": (
        "로그만으로는 원인을 짐작할 수 없습니다.",
        "The log alone does not suggest a cause.",
    ),
    "do_demand": (
        "정상적인 수요라면 용량을 늘리고, 몇몇 클라이언트에 몰려 있으면 호출 횟수를 제한하십시오.",
        "If the demand is real, add capacity; if few clients stand out, limit their rate.",
    ),
    "do_upstream": (
        "요청을 보내는 쪽(앱, 게이트웨이, 작업)의 상태와 최근 변경을 확인하십시오.",
        "Look at what sends the requests (app, gateway, job) and at what was changed there.",
    ),
    "do_down": (
        "서비스와 그 앞의 프록시가 살아 있는지 확인하고, 살아 있으면 로그 전송을 확인하십시오.",
        "See whether the service and the proxy in front of it are up; if they are, look at the shipping of its logs.",
    ),
    "do_fault": (
        "이 엔드포인트의 오류 로그와 최근 변경을 확인하고, 필요하면 되돌리십시오.",
        "Read the error log of this endpoint, look at recent changes, and take them back if need be.",
    ),
    "do_shared_fault": (
        "함께 쓰는 자원의 상태와 한도(연결 수, 디스크, 메모리)를 먼저 확인하십시오.",
        "Look first at the state and the limits of what they share: connections, disk, memory.",
    ),
    "do_network": (
        "이 대역의 경로, 방화벽, 중계 서버를 확인하고 그쪽 담당자에게 알리십시오.",
        "Look at routing, firewalls and relays of this network, and tell those who run it.",
    ),
    "do_load": (
        "인스턴스를 늘리거나 결과를 캐시하고, 가장 많은 시간을 쓰는 쿼리부터 줄이십시오.",
        "Add instances or cache results, and shorten the queries that take the most time.",
    ),
    "do_contention": (
        "잠금 대기, 연결 풀의 크기, 인스턴스별 응답시간을 확인하십시오.",
        "Look at lock waits, the size of pools, and the latency of each instance.",
    ),
    "do_growth": (
        "커지는 테이블의 인덱스와 보존 기간, 대기열의 처리 속도를 확인하십시오.",
        "Look at indexes and retention of the tables that grow, and at how fast queues are worked off.",
    ),
    "do_schedule": (
        "작업을 한가한 시간으로 옮기거나, 나누어 돌리거나, 복제본에서 돌리십시오.",
        "Move the job to quiet hours, split it, or run it on a replica.",
    ),
    "do_deploy": (
        "배포한 버전을 이전 버전과 비교하고, 급하면 되돌리십시오.",
        "Compare the version with the one before, and roll it back if it is urgent.",
    ),
    "do_call": (
        "앞선 호출이 남기는 것(세션, 캐시, 잠금, 데이터)을 확인하십시오.",
        "Look at what the call before leaves behind: a session, a cache entry, a lock, data.",
    ),
    "do_new_route": (
        "경로 설정과 권한을 확인하고, 준비될 때까지 닫아 두십시오.",
        "Look at its routing and permissions, and keep it closed until it is ready.",
    ),
    "do_probing": (
        "방화벽이나 프록시에서 이 클라이언트를 막고, 알려진 취약 경로가 없는지 확인하십시오.",
        "Block the client at the firewall or proxy, and make sure that no known weak path is there.",
    ),
    "do_attack": (
        "로그인 횟수를 제한하고, 이 클라이언트를 막고, 대상 계정에 2단계 인증을 켜십시오.",
        "Limit logins, block the client, and turn on a second factor for the accounts in question.",
    ),
    "do_automation": (
        "허용할 프로그램인지 정하고, 아니면 속도를 제한하거나 robots.txt와 차단 규칙을 두십시오.",
        "Decide whether it is welcome; if not, limit its rate or set rules for it.",
    ),
    "do_client": (
        "이 클라이언트의 운영자에게 알리고, 급하면 호출 횟수를 제한하십시오.",
        "Tell those who run this client, and limit its rate if it is urgent.",
    ),
    "do_collection": (
        "수집 서버와 데이터베이스를 다시 동작하게 하십시오. 전송기는 그때까지 로그를 가지고 있다가 다시 보냅니다.",
        "Get the ingest server and the database to work again; until then shippers keep what they have and try again.",
    ),
    "do_unknown": (
        "시작 시각 전후의 요청을 비교해 달라진 점을 확인하십시오.",
        "Compare the requests before and after it began, and see what changed.",
    ),
}
