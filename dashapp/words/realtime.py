"""Realtime Logs."""

TEXTS: dict[str, tuple[str, str]] = {
    "realtime": ("실시간", "Live"),
    "realtime_list": ("도착한 요청, 최신순", "Requests as they arrive, newest first"),
    "realtime_keeps": ("화면에 {n}줄까지 유지", "keeps {n} rows"),
    "realtime_paused": ("멈춤", "Paused"),
    "realtime_waiting": ("새 로그 {n}줄", "{n} new rows"),
    "realtime_waiting_title": ("새 로그 보기", "Show the new rows"),
    "realtime_none": (
        "아직 도착한 요청이 없습니다. 도착하는 대로 나타납니다.",
        "No request has arrived yet. They appear as they do.",
    ),
    "realtime_away": (
        "데이터베이스가 답하지 않습니다. 계속 다시 시도합니다.",
        "The database does not answer. Trying on.",
    ),
    "realtime_skipped": ("{n}줄 건너뜀", "{n} rows skipped"),
    "realtime_skipped_least": ("{n}줄 이상 건너뜀", "{n} rows or more skipped"),
    "realtime_skipped_why": (
        "{first} – {last}. 한 번에 {most}줄까지만 보여줍니다. 저장된 기록에는 모두 있습니다.",
        "{first} – {last}. At most {most} rows are shown at a time; all are stored.",
    ),
    "realtime_skipped_go": ("검색에서 보기", "Show in Search"),
    "realtime_rate": ("초당 {n}건", "{n} req/s"),
    "realtime_late": (
        "{n}초째 새 로그를 받지 못했습니다. 계속 다시 시도합니다.",
        "Nothing received for {n} s. Trying on.",
    ),
    "realtime_none_filtered": (
        "필터에 맞는 요청이 아직 도착하지 않았습니다. 지난 로그는 검색에서 볼 수 있습니다.",
        "No request that matches the filters has arrived yet. Search has the past.",
    ),
    "realtime_last": ("마지막 도착", "last arrival"),
    "status_filter": ("상태 코드 필터", "Status classes"),
    "time_in": ("시각 ({zone})", "Time ({zone})"),
    "status": ("상태", "Status"),
    "path": ("경로", "Path"),
    "client": ("클라이언트", "Client"),
}
