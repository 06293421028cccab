"""Entries of the history as pages and API show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashapp.ai.asking.answering import AnswerResult
from dashapp.ai.evidence import PACK, Pack
from dashapp.ai.result import CheckedCause, CheckedInsight, Piece, Result, Sentence
from sql.ai_history import Entry, Opened, open_entry
from sql.connection import Reading


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with its result; of unchanged data the result, and the evidence, of the analysis that it refers to.

    Attributes:
        entry: what was asked, and what came of it.
        made_by: the entry whose result it is.
        pack: the evidence; None where nothing was gathered.
        result: of an analysis.
        answer: of a question.
        sent, reply: all messages and texts of the calls.
    """

    entry: Entry
    made_by: Entry
    pack: Pack | None
    result: Result | None
    answer: AnswerResult | None
    sent: list[Any]
    reply: list[str]


def shown_of(reading: Reading, opened: Opened) -> Shown:
    """Read an entry's result."""
    source = opened
    if opened.entry.same_as is not None:
        source = open_entry(reading, opened.entry.same_as) or opened
    is_answer = source.entry.kind == "question"
    return Shown(
        entry=opened.entry,
        made_by=source.entry,
        pack=PACK.validate_python(source.pack) if source.pack else None,
        result=Result.model_validate(source.result) if source.result and not is_answer else None,
        answer=AnswerResult.model_validate(source.result) if source.result and is_answer else None,
        sent=opened.sent or [],
        reply=opened.reply or [],
    )


def entry_of(entry: Entry) -> dict[str, Any]:
    """A line of the history as JSON."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "created_at": _moment(entry.created_at),
        "finished_at": _moment(entry.finished_at),
        "state": entry.state,
        "source": entry.source,
        "reason": entry.reason,
        "detail": entry.detail,
        "viewer": entry.viewer,
        "language": entry.language,
        "start": _moment(entry.start),
        "end": _moment(entry.end),
        "minutes": entry.minutes,
        "filters": dict(entry.filters),
        "question": entry.question,
        "thread": entry.thread,
        "same_as": entry.same_as,
        "rerun_of": entry.rerun_of,
        "prompt_version": entry.prompt_version,
        "model": entry.model,
        "tokens": {"input": entry.tokens_in, "output": entry.tokens_out},
        "cost_usd": None if entry.cost_usd is None else float(entry.cost_usd),
        "calls": entry.calls,
        "latency_ms": entry.latency_ms,
        "feedback": entry.feedback,
        "title": entry.title,
    }


def whole_of(shown: Shown) -> dict[str, Any]:
    """An entry with everything: the result as text, the figures behind it, what was sent and what came back."""
    made: dict[str, Any] = entry_of(shown.entry)
    made["data_unchanged"] = shown.entry.source == "unchanged"
    made["last_analysis_time"] = _moment(shown.made_by.created_at)
    made["made_by"] = {"id": shown.made_by.id, "source": shown.made_by.source, "model": shown.made_by.model}
    if shown.result is not None:
        made |= _analysis(shown.result)
    if shown.answer is not None:
        made |= _answer(shown.answer)
    if shown.pack is not None:
        made["evidence"] = {key: _figure(figure) for key, figure in shown.pack.figures.items()}
        made["names"] = {key: {"field": name.field, "value": name.value} for key, name in shown.pack.pseudonyms.items()}
        made["evidence_lines"] = list(shown.pack.lines)
    made["sent"], made["reply"] = shown.sent, shown.reply
    return made


def _analysis(result: Result) -> dict[str, Any]:
    return {
        "verdict": result.verdict,
        "summary": _text(result.summary),
        "root_cause": None if result.root_cause is None else _cause(result.root_cause),
        "insights": [_insight(each) for each in result.insights],
        "removed": [each.model_dump(mode="json") for each in result.removed],
        "confirmed": result.confirmed,
    }


def _answer(answer: AnswerResult) -> dict[str, Any]:
    return {
        "answer": _text(answer.sentences),
        "answer_kind": answer.kind,
        "removed": [each.model_dump(mode="json") for each in answer.removed],
        "confirmed": answer.confirmed,
        "chart": None if answer.chart is None else answer.chart.model_dump(mode="json"),
        "tools": [each.model_dump(mode="json") for each in answer.tools],
    }


def _cause(cause: CheckedCause) -> dict[str, Any]:
    return {
        "text": _text(cause.text),
        "reasons": [_text([each]) for each in cause.reasons],
        "improvements": [_text([each]) for each in cause.improvements],
        "evidence": cause.evidence,
        "confidence": cause.confidence,
        "confidence_claimed": cause.confidence_claimed,
    }


def _insight(insight: CheckedInsight) -> dict[str, Any]:
    texts = {name: _text(getattr(insight, name)) for name in ("title", "key_figures", "cause", "improvement")}
    return {
        **texts,
        "endpoint": insight.endpoint,
        "evidence": insight.evidence,
        "severity": insight.severity,
        "severity_claimed": insight.severity_claimed,
        "source": insight.source,
    }


def _figure(figure: Any) -> Mapping[str, Any]:
    return {
        name: getattr(figure, name) for name in ("value", "unit", "measure", "about", "of", "when", "query", "link")
    }


def _text(sentences: list[Sentence]) -> str:
    """Sentences with the id behind each figure: 265[e1]."""
    return " ".join("".join(_cited(piece) for piece in sentence).strip() for sentence in sentences)


def _cited(piece: Piece) -> str:
    return f"{piece.text}[{piece.id}]" if piece.kind == "figure" else piece.text


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
