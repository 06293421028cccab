"""The report in words: the five analyses of a range."""

TEXTS: dict[str, tuple[str, str]] = {
    "in_words": ("글로 보는 분석", "The range in words"),
    "in_words_unit": ("다섯 가지 분석과 개선 방안", "five analyses, and what to do"),
    "r1": ("트래픽", "Traffic"),
    "r2": ("엔드포인트", "Endpoints"),
    "r3": ("상태 코드와 오류", "Status codes and errors"),
    "r4": ("병목", "Bottlenecks"),
    "r5": ("평소와 다른 점", "What differs from the usual"),
    "r1_total": (
        "기간 전체에 요청이 {n} 들어왔습니다(분당 평균 {pace}건).",
        "The range has {n} ({pace} a minute on average).",
    ),
    "r1_against": (
        "{name} 대비 {change}입니다({now} / {before}).",
        "Against the {name} that is {change} ({now}, then {before}).",
    ),
    "r1_more": (
        "요청은 점점 늘었습니다. 마지막 4분의 1은 처음 4분의 1보다 {change} 많습니다.",
        "Requests grew: the last quarter of the range has {change} more than the first.",
    ),
    "r1_less": (
        "요청은 점점 줄었습니다. 마지막 4분의 1은 처음 4분의 1보다 {change} 적습니다.",
        "Requests shrank: the last quarter of the range has {change} fewer than the first.",
    ),
    "r1_even": (
        "처음과 마지막 4분의 1의 요청 수는 비슷합니다({change} 차이).",
        "The first and the last quarter of the range are alike (within {change}).",
    ),
    "r1_extremes": (
        "{width} 단위로 보면 {most}에 가장 많고({most_n}, 평균보다 {above} 많음), "
        "{least}에 가장 적습니다({least_n}, 평균보다 {below} 적음).",
        "By {width}, {most} has the most ({most_n}, {above} above the average) "
        "and {least} the fewest ({least_n}, {below} below it).",
    ),
    "r1_client": (
        "요청이 가장 많은 클라이언트는 {client}\u2060이고, 요청의 {share}\u2060를 보냈습니다({n}).",
        "The client with the most requests is {client}, with {share} of them ({n}).",
    ),
    "r2_count": ("엔드포인트 {n}개가 호출되었습니다.", "{n} endpoints were called."),
    "r2_busiest": (
        "호출이 가장 많은 것은 {endpoint}\u2060입니다. {n}(전체의 {share}), 평균 {mean}, p95 {p95}.",
        "The most calls went to {endpoint}: {n} ({share} of all), mean {mean}, p95 {p95}.",
    ),
    "r2_busiest_untimed": (
        "호출이 가장 많은 것은 {endpoint}\u2060입니다. {n}(전체의 {share}).",
        "The most calls went to {endpoint}: {n} ({share} of all).",
    ),
    "r2_next": ("그다음은 {endpoint}\u2060입니다. {n}, 평균 {mean}.", "Next is {endpoint}: {n}, mean {mean}."),
    "r2_next_untimed": ("그다음은 {endpoint}\u2060입니다. {n}.", "Next is {endpoint}: {n}."),
    "r2_top": (
        "호출이 많은 {k}개가 전체 호출의 {share}\u2060를 차지합니다.",
        "The {k} with the most calls take {share} of all calls.",
    ),
    "r3_shares": (
        "응답은 2xx {c2}, 3xx {c3}, 4xx {c4}, 5xx {c5}\u2060입니다.",
        "Of all answers, {c2} are 2xx, {c3} 3xx, {c4} 4xx and {c5} 5xx.",
    ),
    "r3_none": ("오류(4xx, 5xx)는 없습니다.", "There are no errors (4xx, 5xx)."),
    "r3_errors": (
        "오류는 모두 {n}\u2060이고(오류율 {rate}), 클라이언트 오류가 {client}, 서버 오류가 {server}\u2060입니다.",
        "There are {n} errors (an error rate of {rate}): {client} of the client (4xx), {server} of the server (5xx).",
    ),
    "r3_code": (
        "가장 많은 오류 코드는 {code}\u2060입니다({n}, 전체 오류의 {share}).",
        "The most frequent error is {code} ({n}, {share} of all errors).",
    ),
    "r3_endpoint": (
        "오류가 가장 많이 몰린 엔드포인트는 {endpoint}\u2060입니다({n}, 전체 오류의 {share}, 오류율 {rate}).",
        "Most errors come from {endpoint} ({n}, {share} of all errors, an error rate of {rate}).",
    ),
    "r3_server": (
        "서버 오류만 보면 {endpoint}\u2060에 가장 많습니다({n}, 전체 5xx의 {share}).",
        "Of server errors alone, most come from {endpoint} ({n}, {share} of all 5xx).",
    ),
    "r3_hour": (
        "오류는 {when}에 가장 많이 몰렸습니다({n}, 오류율 {rate}, 기간 전체 {usual}).",
        "Most errors fall into {when} ({n}, an error rate of {rate}, {usual} over the range).",
    ),
    "r4_untimed": (
        "이 로그에는 응답시간이 없어 병목을 알 수 없습니다.",
        "The log has no latency, so nothing is known.",
    ),
    "r4_slowest": (
        "가장 느린 엔드포인트는 {endpoint}\u2060입니다. 평균 {mean}, p50 {p50}, p90 {p90}, p95 {p95}, p99 {p99}({n}).",
        "The slowest endpoint is {endpoint}: mean {mean}, p50 {p50}, p90 {p90}, p95 {p95}, p99 {p99} ({n}).",
    ),
    "r4_few": ("호출이 적어 참고만 하십시오.", "It has few calls; take that with care."),
    "r4_time": (
        "응답에 쓴 시간이 가장 많은 것은 {endpoint}\u2060이고, 느린 것들 가운데 전체 시간의 {share}\u2060를 씁니다"
        "({n}, 평균 {mean}).",
        "Of the slow ones, {endpoint} takes the most time, {share} of all time spent ({n}, mean {mean}).",
    ),
    "r4_requests": (
        "가장 느린 요청은 {ms}\u2060({endpoint}, {when})이고, 가장 느린 {k}건은 모두 {least} 이상입니다.",
        "The slowest request took {ms} ({endpoint}, {when}); the slowest {k} all took {least} or more.",
    ),
    "r4_common": (
        "가장 느린 {k}건의 {share}\u2060가 {field} {value}에 해당합니다(전체 요청에서는 {overall}).",
        "{share} of the slowest {k} have {field} {value} (of all requests: {overall}).",
    ),
    "r4_common_alone": (
        "가장 느린 {k}건의 {share}\u2060가 {field} {value}에 해당합니다.",
        "{share} of the slowest {k} have {field} {value}.",
    ),
    "r4_nothing": (
        "가장 느린 {k}건에 뚜렷한 공통점은 없습니다.",
        "The slowest {k} have nothing clear in common.",
    ),
    "trait_method": ("메서드", "method"),
    "trait_route": ("경로", "route"),
    "trait_hour": ("시각", "hour"),
    "r5_apart_failures": (
        "{field} {value}의 요청은 {rate}\u2060가 실패했습니다. 나머지는 {others}\u2060입니다({n}).",
        "Of the requests with {field} {value}, {rate} failed, against {others} of the rest ({n}).",
    ),
    "r5_apart_slow": (
        "{field} {value}의 요청은 {rate}\u2060가 느렸습니다({ms} 이상). 나머지는 {others}\u2060입니다({n}).",
        "Of the requests with {field} {value}, {rate} were slow ({ms} or more), against {others} of the rest ({n}).",
    ),
    "r5_novel_new_endpoint": (
        "{since} 이후 처음으로 {value}의 요청이 왔습니다({n}).",
        "Requests to {value} came for the first time since {since} ({n}).",
    ),
    "r5_novel_gone_endpoint": (
        "전에 오던 {value}의 요청이 오지 않았습니다({since}부터 {n}).",
        "Requests to {value}, which used to come, did not ({n} since {since}).",
    ),
    "r5_novel_new_status": (
        "{since} 이후 처음으로 상태 코드 {value}의 응답이 나왔습니다({n}).",
        "Answers with status {value} came for the first time since {since} ({n}).",
    ),
    "r5_novel_gone_status": (
        "전에 있던 상태 코드 {value}의 응답이 없었습니다({since}부터 {n}).",
        "Answers with status {value}, which used to come, did not ({n} since {since}).",
    ),
    "r5_novel_new_client_type": (
        "{since} 이후 처음 보는 종류의 클라이언트가 왔습니다: {value}.",
        "A kind of client not seen since {since} called: {value}.",
    ),
    "r5_novel_gone_client_type": (
        "{since} 이후 늘 오던 종류의 클라이언트가 오지 않았습니다: {value}.",
        "A kind of client that has called since {since} did not: {value}.",
    ),
    "r5_rest": ("그 밖에 {n}건은 발견 사항에 있습니다.", "{n} more are among the findings."),
    "width_hours": ("1시간", "the hour"),
    "width_minutes": ("{n}분", "{n} minutes"),
    "width_days": ("{n}일", "{n} days"),
}
