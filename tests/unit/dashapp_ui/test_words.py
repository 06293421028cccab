from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import dashapp
from dashapp import comparison
from dashapp.comparison import KINDS
from dashapp.figures.heatmap import What
from dashapp.insight.changes import MEASURES
from dashapp.insight.finding import CAUSES, Unit
from dashapp.insight.finding import KINDS as FINDINGS
from dashapp.pages.findings import STATES
from dashapp.shell.filter_form import FIELDS
from dashapp.words import CATALOGUE, LANGUAGES, PARTS, Words

# Keys that code puts together.
COMPOSED = {
    "slowest_unit",
    "failing_unit",
    "busiest_unit",
    "report_clients_unit",
    "sev_high",
    "sev_medium",
    "sev_low",
    *(f"heat_{name}{ending}" for name in ("errors", "p95") for ending in ("", "_unit", "_label")),
    *(f"heat_hover_{what}" for what in get_args(What)),
    *(f"class_{n}xx" for n in range(1, 6)),
    *(f"field_{name}" for name in FIELDS),
    *(f"vs_name_{kind}" for kind in get_args(comparison.Kind)),
    *(f"vs_choice_{kind}" for kind in ("off", *KINDS)),
    *(f"{part}_{kind}" for part in ("named", "told", "check") for kind in FINDINGS),
    *(f"{part}_{cause}" for part in ("why", "do") for cause in CAUSES),
    *(f"amount_{unit}" for unit in get_args(Unit)),
    "amount_one_requests",
    "amount_one_paths",
    "amount_one_clients",
    "amount_one_records",
    *(f"part_{unit}" for unit in ("requests", "per_minute", "share")),
    *(f"basis_{what}{ending}" for what in ("requests", "minutes") for ending in ("", "_few")),
    *(f"state_{name}" for name in STATES),
    *(f"measure_{errors}" for errors in ("errors", "server_errors", "client_errors")),
    *(f"r2_{name}_untimed" for name in ("busiest", "next")),
    *(f"alerts_{state}" for state in ("due", "held", "sent", "failed", "dropped")),
    *(f"changed_{part}{measure}" for part in ("", "what_") for measure in MEASURES),
    *(f"alert_{what}" for what in ("opened", "closed")),
    *(f"ai_{kind}" for kind in ("not_in_logs", "nothing_left")),
}
# What follows them is a value, mostly of the ledger; code falls back where there is no text for it.
PREFIXES = (
    "role_",
    "scope_",
    "said_",
    "me_",
    "password_",
    "health_",
    "part_",
    "kind_",
    "refusal_",
    "upload_why_",
    "fail_",
    "ship_",
    "life_",
    "among_",
    "say_common_",
    "too_few_",
    "trait_",
    "ev_",
    "fact_",
    "client_type_",
    "alerts_refused_",
    "alerts_what_",
    "novel_",
    "r5_novel_",
    "r5_apart_",
    *(f"ai_{part}_" for part in ("why", "fault", "source", "mean", "confidence", "col", "tool", "chart", "by")),
    "ai_window_",
    "ai_example_",
)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("key", CATALOGUE)
def test_both_languages_have_a_text_with_the_same_values(key: str) -> None:
    korean, english = CATALOGUE[key]
    assert korean
    assert english or key in ("requests_unit", "records_unit")
    assert fields(korean) == fields(english)


@pytest.mark.parametrize("key", CATALOGUE)
def test_korean_sentences_end_politely_and_nothing_shouts(key: str) -> None:
    korean, english = CATALOGUE[key]
    assert "!" not in korean + english
    for sentence in re.findall(r"[^.]*[가-힣]\.(?=\s|$)", korean):
        assert re.search(r"(니다|시오)\.$", sentence), sentence


def test_no_key_stands_in_two_parts() -> None:
    assert len(CATALOGUE) == sum(len(part.TEXTS) for part in PARTS)


def test_every_key_is_used() -> None:
    root = Path(dashapp.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py") if path.parent.name != "words")
    code += "".join(path.read_text(encoding="utf-8") for path in root.rglob("*.html"))
    code = re.sub(r'"(\w+_)" ~ ', r'f"\1{', code)  # templates put keys together in their own way
    assert [prefix for prefix in PREFIXES if f'f"{prefix}{{' not in code] == []
    found = (key for key in CATALOGUE if key not in COMPOSED and not key.startswith(PREFIXES))
    assert [key for key in found if not re.search(f"[\"']{key}[\"']", code)] == []


def test_rich_puts_parts_in_their_places() -> None:
    part = object()
    for language in LANGUAGES:
        children = Words(language).rich("ai_key_figures", observed="9 ms", usual=part)
        assert part in children
        assert "9 ms" in children
        assert all(child != "" for child in children)
