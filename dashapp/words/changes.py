"""What changed between a window and the one that it is compared with."""

TEXTS: dict[str, tuple[str, str]] = {
    "changed": ("달라진 점", "What changed?"),
    "changed_go": ("달라진 점 보기", "See what changed"),
    "changed_unit": ("{now} / {name} {before}", "{now}, against {before} ({name})"),
    "changed_requests": ("요청", "Requests"),
    "changed_failures": ("실패한 요청", "Failures"),
    "changed_slow": ("느린 요청", "Slow requests"),
    "changed_counts": ("{before}건 → {now}건", "{before} → {now}"),
    "changed_from": ("{ms} 이상", "{ms} or more"),
    "changed_none": ("우연을 넘어서는 차이가 없습니다.", "Nothing differs beyond chance."),
    "changed_unknown": (
        "비교 기간에 데이터가 없어 견줄 수 없습니다.",
        "The time that it is compared with has no data.",
    ),
    "changed_few": (
        "데이터가 부족합니다: 지금 n = {now}, 비교 n = {before}.",
        "Not enough data: n = {now} now, n = {before} before.",
    ),
    "changed_more": (
        "{field} {value}의 {what}이 {before}에서 {now}\u2060으로 늘어, 차이의 {explains}\u2060를 설명합니다.",
        "{what} with {field} {value} rose from {before} to {now}, which explains {explains} of the difference.",
    ),
    "changed_less": (
        "{field} {value}의 {what}이 {before}에서 {now}\u2060으로 줄어, 차이의 {explains}\u2060를 설명합니다.",
        "{what} with {field} {value} fell from {before} to {now}, which explains {explains} of the difference.",
    ),
    "changed_now": ("이 기간의 비중", "share now"),
    "changed_before": ("비교 기간의 비중", "share before"),
    "changed_chance": ("우연일 확률 {chance}", "by chance: {chance}"),
    "changed_rate": ("비율 {before} → {now}", "rate {before} → {now}"),
    "changed_same": ("같은 요청: ", "The same requests have "),
    "changed_about": ("약 {n}", "about {n}"),
    "changed_what_requests": ("요청", "Requests"),
    "changed_what_failures": ("실패한 요청", "Failures"),
    "changed_what_slow": ("느린 요청", "Slow requests"),
    "changed_sampled": (
        "클라이언트, 프로그램, 속성은 고르게 고른 요청 {n}건에서 세었습니다.",
        "Clients, programs and attributes were counted in {n} requests, drawn evenly.",
    ),
    "trait_client_type": ("클라이언트 종류", "kind of client"),
}
