"""Check a whole reply: sentence by sentence, then what is left of each claim, and how far it may be believed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dashapp.ai.checking.claims import Checker, Context
from dashapp.ai.checking.sentences import split_sentences
from dashapp.ai.evidence import Noted, Pack
from dashapp.ai.reply import Confidence, Insight, Reply, RootCause
from dashapp.ai.result import CheckedCause, CheckedInsight, Removed, Result, Sentence
from dashapp.insight.finding import Severity

_SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")
_CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")
_SURE_P, _SURE_N = 0.001, 30
_NOTABLE_RATE, _NOTABLE_CALLS = 0.05, 20


@dataclass
class _Text:
    """Sentences that were kept of one text."""

    kept: list[Sentence] = field(default_factory=list)
    cited: set[str] = field(default_factory=set)
    lost: int = 0


@dataclass
class _Judge:
    checker: Checker
    pack: Pack
    removed: list[Removed] = field(default_factory=list)
    confirmed: int = 0

    def text(self, where: str, text: str, context: Context) -> _Text:
        """Check a text; the endpoint of a sentence is what the next one speaks of."""
        found = _Text()
        for sentence in split_sentences(text):
            checked = self.checker.check(sentence, context)
            if checked.fault is not None:
                self.removed.append(Removed(where=where, text=sentence, fault=checked.fault, detail=checked.detail))
                found.lost += 1
                continue
            found.kept.append(checked.pieces)
            found.cited |= {*checked.cited}
            self.confirmed += checked.confirmed
            context = replace(context, endpoint=checked.endpoint)
        return found

    def known(self, ids: Sequence[str]) -> list[str]:
        return [key for key in dict.fromkeys(ids) if key in self.pack.figures]


def judge(reply: Reply, pack: Pack, *, prompt: str = "", secrets: Sequence[str] = ()) -> Result:
    """Return what of a reply is true by the evidence.

    Args:
        reply: what the model said.
        pack: the evidence it was given.
        prompt: the instructions that it was given, which are nobody's business.
        secrets: texts that must never be shown.
    """
    judged = _Judge(Checker(pack, prompt=prompt, secrets=secrets), pack)
    summary = judged.text("summary", reply.summary, Context())
    cause = _cause(judged, reply.root_cause) if reply.root_cause else None
    insights = [found for place, each in enumerate(reply.insights) if (found := _insight(judged, place, each))]
    insights.sort(key=lambda each: -_SEVERITIES.index(each.severity))
    return Result(
        verdict=pack.verdict,
        summary=summary.kept,
        root_cause=cause,
        insights=insights,
        removed=judged.removed,
        confirmed=judged.confirmed,
    )


def uncovered(pack: Pack, insights: Sequence[CheckedInsight]) -> list[Noted]:
    """Findings of weight that no insight is about: a model may not leave out what the search found."""
    cited = {key for each in insights for key in each.evidence}
    named = {each.endpoint for each in insights if each.endpoint}
    return [
        noted
        for noted in pack.findings
        if noted.severity != "low" and not cited & {*noted.ids} and not named & {*noted.endpoints}
    ]


def most_severe(pack: Pack, endpoint: str | None, ids: Sequence[str]) -> Severity:
    """How bad a problem may be called: by the findings it rests on, else by its own figures."""
    levels = [
        noted.severity
        for noted in pack.findings
        if {*ids} & {*noted.ids} or (endpoint is not None and endpoint in noted.endpoints)
    ]
    if levels:
        return max(levels, key=_SEVERITIES.index)
    figures = [pack.figures[key] for key in ids]
    rates = [each.value for each in figures if each.measure == "error_rate" and each.when == "now"]
    calls = [
        each.value
        for each in pack.figures.values()
        if (each.measure, each.when, each.about) == ("requests", "now", endpoint or "") and not each.of
    ]
    notable = max(rates, default=0.0) >= _NOTABLE_RATE and max(calls, default=0.0) >= _NOTABLE_CALLS
    return "medium" if notable else "low"


def most_confident(pack: Pack, ids: Sequence[str], *, lost: int) -> Confidence:
    """How sure a cause may be called: high only for what the search is sure of, low where a sentence was taken out."""
    if lost:
        return "low"
    found = [noted for noted in pack.findings if {*ids} & {*noted.ids}]
    if any(noted.n >= _SURE_N and noted.p is not None and noted.p <= _SURE_P for noted in found):
        return "high"
    return "medium" if found else "low"


def _cause(judged: _Judge, said: RootCause) -> CheckedCause | None:
    ids = judged.known(said.evidence)
    context = Context(evidence=frozenset(ids))
    text = judged.text("root_cause", said.text, context)
    spoken = _last_endpoint(text.kept)
    within = replace(context, endpoint=spoken)
    reasons = [judged.text("reasons", each, within) for each in said.reasons]
    advice = [judged.text("improvements", each, replace(within, advice=True)) for each in said.improvements]
    cited = list(dict.fromkeys([*ids, *sorted(text.cited | {key for each in reasons for key in each.cited})]))
    if not text.kept or not cited:
        if text.kept:
            judged.removed.append(Removed(where="root_cause", text=said.text, fault="evidence"))
        return None
    limit = most_confident(judged.pack, cited, lost=text.lost + sum(each.lost for each in reasons))
    return CheckedCause(
        text=text.kept,
        reasons=[sentence for each in reasons for sentence in each.kept],
        improvements=[sentence for each in advice for sentence in each.kept],
        evidence=cited,
        confidence=min(said.confidence, limit, key=_CONFIDENCES.index),
        confidence_claimed=said.confidence,
    )


def _insight(judged: _Judge, place: int, said: Insight) -> CheckedInsight | None:
    where = f"insights[{place}]"
    ids = judged.known(said.evidence)
    named = None
    if said.endpoint is not None:
        named = judged.checker.endpoint_named(said.endpoint)
        if named is None:
            judged.removed.append(Removed(where=where, text=said.title, fault="endpoint", detail=said.endpoint))
            return None
    context = Context(endpoint=named, evidence=frozenset(ids))
    figures = judged.text(f"{where}.key_figures", said.key_figures, context)
    cited = list(dict.fromkeys([*ids, *sorted(figures.cited)]))
    if not cited or (named is not None and not judged.checker.is_about(named, cited)):
        judged.removed.append(Removed(where=where, text=said.title, fault="evidence", detail=said.endpoint or ""))
        return None
    context = replace(context, evidence=frozenset(cited))
    title = judged.text(f"{where}.title", said.title, context)
    cause = judged.text(f"{where}.cause", said.cause, context)
    advice = judged.text(f"{where}.improvement", said.improvement, replace(context, advice=True))
    if not title.kept and not figures.kept:
        return None
    limit = most_severe(judged.pack, named, cited)
    return CheckedInsight(
        source="model",
        endpoint=named,
        title=title.kept,
        key_figures=figures.kept,
        cause=cause.kept,
        improvement=advice.kept,
        evidence=cited,
        severity=min(said.severity, limit, key=_SEVERITIES.index),
        severity_claimed=said.severity,
    )


def _last_endpoint(sentences: Sequence[Sentence]) -> str | None:
    named = [piece.id for sentence in sentences for piece in sentence if piece.kind == "endpoint"]
    return named[-1] if named else None
