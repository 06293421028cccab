"""The drawer with the whole record of one request."""

TEXTS: dict[str, tuple[str, str]] = {
    "record": ("로그 한 줄", "One request"),
    "record_close": ("닫기", "Close"),
    "record_slowest_1": (
        "이 엔드포인트 p95({p95})의 {times}배이고, 가장 느린 1% 안에 있습니다.",
        "{times} times the p95 of this endpoint ({p95}), among its slowest 1%.",
    ),
    "record_slowest_5": (
        "이 엔드포인트 p95({p95})보다 길고, 가장 느린 5% 안에 있습니다.",
        "Above the p95 of this endpoint ({p95}), among its slowest 5%.",
    ),
    "record_above_middle": (
        "이 엔드포인트의 p50({p50})과 p95({p95}) 사이입니다.",
        "Between the p50 ({p50}) and the p95 ({p95}) of this endpoint.",
    ),
    "record_below_middle": (
        "이 엔드포인트의 p50({p50}) 이하입니다.",
        "At or below the p50 of this endpoint ({p50}).",
    ),
    "record_few": (
        "이 시간의 호출이 {n}건뿐이라 견주기에 적습니다.",
        "There are only {n} calls in this hour, too few to compare with.",
    ),
    "record_no_latency": ("이 로그에는 응답시간이 없습니다.", "This row has no latency."),
    "record_away": (
        "데이터베이스가 답하지 않아 이 엔드포인트와 견주지 못했습니다.",
        "The database does not answer, so there is no comparison with the endpoint.",
    ),
    "record_this": ("이 요청", "This one"),
    "record_scope": (
        "{start} – {end}, 호출 {n}건, 백분위수 {bound}",
        "{start} – {end}, {n} calls, percentiles {bound}",
    ),
    "record_only_route": ("이 경로만", "Only this route"),
    "record_only_client": ("이 클라이언트만", "Only this client"),
    "record_only_status": ("{status}만", "Only {status}"),
    "record_endpoint": ("엔드포인트 보기", "Open the endpoint"),
    "record_around": ("전후 30초", "30 s around it"),
    "record_around_title": (
        "이 클라이언트의 전후 30초 요청 보기",
        "Requests of this client from 30 s before to 30 s after",
    ),
    "record_copy_json": ("JSON 복사", "Copy JSON"),
    "record_time": ("시각", "Time"),
    "record_collected": ("수집", "Collected"),
    "record_collected_after": ("{source}, {seconds}초 뒤 저장", "{source}, stored {seconds} s later"),
    "record_attributes": ("속성", "Attributes"),
    "record_attributes_cut": (
        "속성이 길어 앞부분만 보여줍니다. 전체는 NDJSON으로 내려받을 수 있습니다.",
        "The attributes are long and cut here. An NDJSON download has all of them.",
    ),
    "record_same": (
        "{start} – {end}에 이 엔드포인트가 {status}로 답한 요청은 {n}건입니다.",
        "From {start} to {end} this endpoint answered {n} requests with {status}.",
    ),
    "record_same_go": ("모두 보기", "Show them"),
}
