"""Realtime Logs."""

TEXTS: dict[str, tuple[str, str]] = {
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
}
