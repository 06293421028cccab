"""Words of Korean and English that make a claim: measures, directions, units, verdicts, times. Pure."""

from __future__ import annotations

import re

# ASCII: a particle of Korean behind an English word ends that word, p95는 as much as p95.
_FLAGS = re.IGNORECASE | re.ASCII

RISE = re.compile(
    r"증가|늘[어었고며]|급증|상승|높아[지졌]|올랐|올라|느려[지졌]|악화|치솟|폭증"
    r"|\b(?:rose|risen|ris(?:e|es|ing)|increas\w+|grew|grow\w*|higher|slower"
    r"|worse\w*|spik\w+|surg\w+|jump\w*|climb\w*|went up)\b",
    _FLAGS,
)
FALL = re.compile(
    r"감소|줄었|줄어|하락|낮아[지졌]|떨어[지졌]|급감|빨라[지졌]|개선되"
    r"|\b(?:fell|fall(?:s|en|ing)?|dropp?\w*|decreas\w+|declin\w+|lower(?:ed)?|faster|improved|went down|shrank)\b",
    _FLAGS,
)
BEFORE = re.compile(
    r"이전|앞|직전|전에|지난|비교|대비|보다|에서|평소|보통|까지|였던|이었던|→"
    r"|\b(?:before|previous\w*|prior|earlier|from|than|versus|vs|compared|usual\w*|against|was|were"
    r"|had been|up|down)\b",
    _FLAGS,
)
OVERALL = re.compile(r"전체|모든|모두|총|서비스|\b(?:all|overall|total|whole|service)\b", _FLAGS)
WELL = re.compile(
    r"(?<!비)정상(?!화|적|\s*여부|인지)|문제(?:가|는|점이|점은)?\s*(?:없|발견되지|보이지)|이상(?:이|은|\s*징후)?\s*없"
    r"|특이\s*사항(?:이|은)?\s*없|양호|건강"
    r"|\b(?:no (?:problems?|issues?|anomal\w+|incidents?)|healthy|all (?:is )?well|nothing (?:is )?wrong"
    r"|normal(?:ly)?|fine)\b",
    _FLAGS,
)
MOST = re.compile(r"대부분|대다수|과반|\b(?:most of|majority|mainly)\b", _FLAGS)
LARGEST = re.compile(r"가장|제일|최다|최고|\b(?:most|highest|largest|slowest|worst|busiest|top)\b", _FLAGS)
SMALLEST = re.compile(r"(?:가장|제일)\s*(?:적|낮|빠|작)|최소|\b(?:least|fewest|lowest|fastest|smallest)\b", _FLAGS)
SLOW = re.compile(
    r"느린|느리|지연|응답\s?시간|오래|빠른|빠르|\b(?:slow\w*|fast\w*|latency|p95|response time)\b", _FLAGS
)
NUMBER_WORD = re.compile(
    r"(?:두|세|네|다섯|여섯|일곱|여덟|아홉|열|몇|수|수십|수백)\s?배|절반|수십|수백|수천|수만|반으로"
    r"|\b(?:twice|thrice|doubl(?:e[sd]?|ing)|tripl(?:e[sd]?|ing)|half|halved|(?:two|three|four|five|ten|hundred)-?fold|dozens?"
    r"|hundreds?|thousands?|millions?"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|twenty|fifty|hundred) "
    r"(?:times|percent|requests|errors|seconds|minutes|hours|calls))\b",
    _FLAGS,
)
# Days that a text may speak of only where the question does.
RELATIVE = re.compile(
    r"어제|그제|그저께|오늘|지난\s?주|지난\s?달|이번\s?주|내일"
    r"|\b(?:yesterday|today|tomorrow|last (?:week|month|night|\w+day)|this (?:week|month|morning|evening))\b",
    _FLAGS,
)
# What a latency is called beside its percentile; both sides of each are measures of a figure.
MEASURES: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = tuple(
    (re.compile(pattern, _FLAGS), frozenset(measures))
    for pattern, measures in (
        (r"\bp50\b|중앙값|\bmedian\b", {"p50"}),
        (r"\bp90\b", {"p90"}),
        (r"\bp95\b", {"p95"}),
        (r"\bp99\b", {"p99"}),
        (r"평균|\b(?:mean|average)\b", {"mean"}),
        (r"최대|최장|가장 느린|\b(?:max(?:imum)?|slowest)\b", {"max", "latency"}),
    )
)
CLIENT_ERRORS = re.compile(r"4xx|클라이언트 오류|client errors?", _FLAGS)
SERVER_ERRORS = re.compile(r"5xx|서버 오류|server errors?", _FLAGS)
ERRORS = re.compile(r"오류|에러|실패|\b(?:errors?|fail\w*)\b", _FLAGS)
REQUESTS = re.compile(r"요청|호출|\b(?:requests?|calls?)\b", _FLAGS)
LATENCIES = frozenset({"p50", "p90", "p95", "p99", "mean", "max", "latency"})

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일")
ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
