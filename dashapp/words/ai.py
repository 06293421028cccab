"""AI 분석."""

TEXTS: dict[str, tuple[str, str]] = {
    "ai": ("AI 분석", "AI analysis"),
    "ai_button": ("최근 5분 분석", "Analyse last 5 minutes"),
    "ai_rules": ("규칙 기반", "Rule-based"),
    "ai_intro": (
        "버튼을 누르면 최근 5분을 그 앞의 5분과 비교합니다. 자동으로 실행하지 않습니다.",
        "The button compares the last 5 minutes with the 5 before. Nothing runs by itself.",
    ),
    "ai_no_key": (
        "OPENAI_API_KEY가 설정되지 않아 모델 대신 정해진 규칙으로 분석합니다.",
        "OPENAI_API_KEY is not set, so fixed rules do the analysis, not a model.",
    ),
    "ai_not_connected": (
        "이 버전에는 모델이 연결되어 있지 않아 정해진 규칙으로 분석합니다.",
        "The model is not connected in this version, so fixed rules do the analysis.",
    ),
    "ai_sources": ("결과의 출처", "Where a result comes from"),
    "ai_rules_mean": ("모델 없이 정해진 규칙으로 찾은 결과입니다.", "Found by fixed rules, without a model."),
    "say_five": (
        "최근 5분 동안 요청은 {n}이고, 그 앞의 5분({before})과 비교해 {change}입니다.",
        "The last 5 minutes had {n}, {change} against the 5 minutes before ({before}).",
    ),
    "say_five_new": (
        "최근 5분 동안 요청은 {n}이고, 그 앞의 5분에는 없었습니다.",
        "The last 5 minutes had {n}; the 5 minutes before had none.",
    ),
    "say_five_none": (
        "최근 5분 동안 요청이 없습니다. 그 앞의 5분에는 {before}이었습니다.",
        "The last 5 minutes had no requests. The 5 minutes before had {before}.",
    ),
    "say_errors": (
        "오류율은 {rate}(4xx {client}, 5xx {server})이고, 앞의 5분은 {before}입니다.",
        "The error rate is {rate} (4xx {client}, 5xx {server}); the 5 minutes before had {before}.",
    ),
    "say_p95": (
        "p95 응답시간은 {p95}이고, 앞의 5분은 {before}입니다(오차 {bound}).",
        "The p95 latency is {p95}; the 5 minutes before had {before} (error {bound}).",
    ),
    "say_most_failing": (
        "오류가 가장 많은 엔드포인트는 {endpoint}입니다({n} 중 4xx {client}, 5xx {server}).",
        "The endpoint with the most errors is {endpoint} (4xx {client}, 5xx {server} of {n}).",
    ),
    "say_no_errors": ("최근 5분 동안 오류가 없습니다.", "The last 5 minutes had no errors."),
}
