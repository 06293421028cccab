"""What the search found, in the layout of an analysis: it serves where no model does, under its own name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from dashapp.ai.evidence import Noted, Pack
from dashapp.ai.ledger import figure_text
from dashapp.ai.result import CheckedCause, CheckedInsight, Piece, Result, Sentence
from dashapp.insight.finding import Finding
from dashapp.sentences_findings import say, say_cause, say_improvement, title
from dashapp.words import Words


def rules_result(pack: Pack, found: Sequence[Finding], words: Words) -> Result:
    """All findings of the evidence, the worst as the root cause."""
    zone = ZoneInfo(pack.zone)
    pairs = list(zip(pack.findings, found, strict=True))
    return Result(
        verdict=pack.verdict,
        summary=[_totals(pack, words)],
        root_cause=_cause(*pairs[0], words, zone) if pairs else None,
        insights=[rules_insight(pack, noted, each, words) for noted, each in pairs],
        confirmed=sum(len(noted.ids) for noted in pack.findings),
    )


def rules_insight(pack: Pack, noted: Noted, found: Finding, words: Words) -> CheckedInsight:
    """One finding."""
    zone = ZoneInfo(pack.zone)
    amounts = [key for key in noted.ids if pack.figures[key].unit != "time"]
    observed, usual = (figure_piece(pack, key) for key in amounts[:2])
    return CheckedInsight(
        source="rules",
        endpoint=noted.endpoints[0] if noted.endpoints else None,
        title=[_text(title(found.kind, words))],
        key_figures=[
            pieces_of(words, "ai_key_figures", observed=observed, usual=usual),
            _text(say(found, words, zone)),
        ],
        cause=[_text(say_cause(found, words))],
        improvement=[_text(say_improvement(found, words))],
        evidence=list(noted.ids),
        severity=found.severity,
    )


def figure_piece(pack: Pack, key: str) -> Piece:
    """A figure of the evidence as a piece of a sentence."""
    figure = pack.figures[key]
    return Piece(kind="figure", text=figure_text(figure.value, figure.unit, ZoneInfo(pack.zone)), id=key)


def pieces_of(words: Words, key: str, **pieces: Piece | str) -> Sentence:
    """A text of the catalogue with pieces in the places of its values."""
    return [
        each if isinstance(each, Piece) else Piece(kind="text", text=str(each)) for each in words.rich(key, **pieces)
    ]


def figure_of(pack: Pack, measure: str, *, when: str = "now") -> Piece | None:
    """The figure of all requests that has a measure."""
    wanted = (measure, "", when, "")
    found = (k for k, each in pack.figures.items() if (each.measure, each.about, each.when, each.of) == wanted)
    key = next(found, None)
    return None if key is None else figure_piece(pack, key)


def _totals(pack: Pack, words: Words) -> Sentence:
    requests, rate = figure_of(pack, "requests"), figure_of(pack, "error_rate")
    if not pack.total or requests is None or rate is None:
        return _text(words("ai_no_requests"))
    key = "ai_totals" if pack.findings else "ai_totals_quiet"
    return pieces_of(words, key, requests=requests, rate=rate)


def _cause(noted: Noted, found: Finding, words: Words, zone: ZoneInfo) -> CheckedCause:
    return CheckedCause(
        text=[_text(say(found, words, zone))],
        reasons=[_text(say_cause(found, words))],
        improvements=[_text(say_improvement(found, words))],
        evidence=list(noted.ids),
        confidence="low",
    )


def _text(text: str) -> Sentence:
    return [Piece(kind="text", text=text)]
