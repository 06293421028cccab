"""The frame of every page: bars, filters, and what cannot be meant or failed."""

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("서버 로그 데이터 분석", "Server log data analysis"),
    "pages": ("페이지", "Pages"),
    "language": ("언어", "Language"),
    "to_dark": ("어두운 테마와 밝은 테마 바꾸기", "Switch between the dark and the light theme"),
    "range_and_filters": ("기간과 필터", "Range and filters"),
    "skip": ("본문으로 건너뛰기", "Skip to the content"),
    "refresh": ("새로고침", "Refresh"),
    "service": ("서비스", "Service"),
    "auto": ("자동", "Auto"),
    "auto_refresh": ("자동 새로고침", "Automatic refresh"),
    "filter": ("필터", "Filter"),
    "filter_open": ("필터 추가", "Add a filter"),
    "filter_field": ("항목", "Field"),
    "filter_value": ("값", "Value"),
    "filter_add": ("필터 추가", "Add filter"),
    "field_service": ("서비스", "Service"),
    "field_method": ("메서드", "Method"),
    "field_route": ("경로", "Route"),
    "field_status": ("상태 코드(404, 5xx)", "Status (404, 5xx)"),
    "field_client_ip": ("클라이언트 IP", "Client IP"),
    "field_text": ("경로에 들어 있는 글자", "Text in the path"),
    "field_latency_min": ("응답시간 하한(ms)", "Latency from (ms)"),
    "compare": ("비교", "Compare"),
    "vs_choice_off": ("안 함", "Off"),
    "vs_choice_prev": ("직전 기간", "Previous period"),
    "vs_choice_day": ("어제 같은 시간", "Same time yesterday"),
    "vs_choice_week": ("지난주 같은 시간", "Same time last week"),
    "vs_from": ("{start}부터", "From {start}"),
    "vs_start": ("시작 시각을 골라 비교", "Compare from a chosen start"),
    "vs_apply": ("이 시각부터 비교", "Compare"),
    "export": ("내보내기", "Export"),
    "export_rows": ("로그 줄 (CSV)", "Log rows (CSV)"),
    "export_summary": ("요약 수치 (JSON)", "Key figures (JSON)"),
    "remove_filter": ("{name} 필터 지우기", "Remove the {name} filter"),
    "moment_hint": ("예: 2026-05-01 09:30", "for example 2026-05-01 09:30"),
    "not_found": ("이 주소에는 페이지가 없습니다.", "There is no page at this address."),
    "to_overview": ("Overview 열기", "Open Overview"),
    "needs_script": ("이 페이지는 JavaScript가 필요합니다.", "This page needs JavaScript."),
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
    "bad_filter": (
        "필터 값 '{given}'에 쓸 수 없는 글자가 있습니다. 이 필터는 빼고 보여줍니다.",
        "The filter value '{given}' holds a character that cannot be used. Showing without this filter.",
    ),
    "bad_regex": (
        "regex='{given}'은 쓸 수 없는 정규식입니다. 이 필터는 빼고 보여줍니다.",
        "regex='{given}' is not a usable regular expression. Showing without this filter.",
    ),
    "bad_latency": (
        "응답시간 필터({given})는 0 이상의 밀리초이고 작은 값이 먼저여야 합니다. 이 필터는 빼고 보여줍니다.",
        "The latency filter ({given}) must be milliseconds from 0 on, the lower one first. Showing without it.",
    ),
    "bad_vs": (
        "vs={given}은 쓸 수 없습니다. {allowed} 중 하나를 쓰십시오. 지금은 비교하지 않습니다.",
        "vs={given} is not a comparison. Use one of {allowed}. Nothing is compared.",
    ),
    "bad_vs_start": (
        "비교 시작 '{given}'은 쓸 수 없는 시각입니다. 2026-05-01 09:30처럼 쓰십시오. 지금은 비교하지 않습니다.",
        "The start of the comparison '{given}' is not a usable time. Write it like 2026-05-01 09:30. "
        "Nothing is compared.",
    ),
    "bad_refresh": (
        "refresh={given}은 쓸 수 없습니다. {allowed} 중 하나를 쓰십시오. 지금은 30s입니다.",
        "refresh={given} is not a choice. Use one of {allowed}. It is 30s now.",
    ),
    "database_away": (
        "데이터베이스가 답하지 않아 숫자를 새로 읽지 못했습니다. 화면의 숫자는 마지막으로 읽은 값입니다.",
        "The database does not answer, so the numbers could not be read again. What you see was read last.",
    ),
    "failed": (
        "화면의 일부를 만들지 못했습니다. 서버 로그에서 요청 번호 {request}를 찾아보십시오.",
        "A part of the page could not be made. Look for request {request} in the server's log.",
    ),
}
