"""Endpoint Analysis."""

TEXTS: dict[str, tuple[str, str]] = {
    "endpoints": ("엔드포인트", "Endpoints"),
    "endpoints_unit": ("응답시간 단위 ms, 백분위수 오차 {bound}", "latency in ms, percentiles {bound}"),
    "find_endpoint": ("메서드 또는 경로 검색", "Search method or route"),
    "count_by": ("묶는 기준", "Count by"),
    "method": ("메서드", "Method"),
    "route": ("경로", "Route"),
}
