"""What stands out in a range, and everything that was ever found."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from dashapp.api.inputs import FILTERS, LANGUAGE, WHOLE, Context, Given, Input, Parameter, number
from dashapp.api.model import Answer, Count, Model, Moment, Share
from dashapp.api.route import Route
from dashapp.api_params import BadParameter, choice, text_of
from dashapp.insight.finding import KINDS, Finding, Kind, Severity, Subject, Unit
from dashapp.scan.kept import finding_of
from dashapp.sentences_findings import say, say_cause, say_improvement
from dashapp.stats.known_findings import Known, known_findings
from dashapp.time_range import BadRange, parse_moment, range_of
from dashapp.words import Words
from sql.connection import Reading
from sql.filters import Filters
from sql.findings import KeptFinding, Position, Selection, find
from sql.plan import Range

State = Literal["open", "closed"]
STATES = ("all", "open", "closed")


class About(Model):
    """Which requests a finding is about: those with all values that are not null."""

    service: str | None
    method: str | None
    route: str | None
    status: str | None
    client_ip: str | None
    network: str | None
    client_type: str | None


class Number(Model):
    """A number that a finding rests on, and the query of this API that gives it."""

    name: str
    value: float
    unit: Unit
    query: str


class Anomaly(Model):
    """A deviation larger than chance: `observed` where `expected` was usual, in `unit`.

    `score` is the distance in standard deviations, or -log10 of the probability of chance `p`, which is corrected for
    how much was looked at; `n` is how many requests (or minutes) it rests on.
    """

    id: str | None = Field(description="null where the range was searched just now, since nothing watched it.")
    kind: Kind
    severity: Severity
    subject: str = Field(description="`METHOD route`, or `*` for all requests.")
    about: About
    related: About | None = Field(description="The other side: the endpoint that is called before, for example.")
    start: Moment
    end: Moment | None = Field(description="null while it lasts.")
    state: State
    unit: Unit
    observed: float
    expected: float
    effect: float | None = Field(description="How many times the usual.")
    score: float
    p: Share | None
    n: Count
    sentence: str
    cause: str = Field(description="Presumed.")
    cause_class: str
    recommendation: str
    evidence: list[Number]
    incident: str | None = Field(description="`id` of the finding with which the incident began.")
    late: bool = Field(description="Found when it was over already, in rows that came late.")
    opened_at: Moment | None = Field(description="When it was found.")
    updated_at: Moment | None


class Anomalies(Answer):
    """What stands out, the worst first; empty where nothing does."""

    findings: list[Anomaly]
    truncated: bool
    watched: Share = Field(description="The share of the range that was watched; the rest is searched when asked for.")


class Found(Answer):
    """What the watch found, the latest to begin first; `next_before` leads to the next page."""

    findings: list[Anomaly]
    truncated: bool
    next_before: str | None


def make_anomalies(reading: Reading, context: Context, *, whole: Range, filters: Filters, language: str) -> Anomalies:
    """What stands out."""
    known = known_findings(reading, whole, filters, context.complete)
    words = Words(language)
    return Anomalies(
        findings=[anomaly_of(each, words, context.zone) for each in known.findings],
        truncated=known.truncated,
        watched=known.watched,
    )


def make_findings(
    reading: Reading,
    context: Context,
    *,
    span: Range | None,
    filters: Filters,
    state: str,
    kind: str | None,
    limit: int,
    before: Position | None,
    language: str,
) -> Found:
    """History of what was found."""
    wanted: State | None = "open" if state == "open" else "closed" if state == "closed" else None
    selection = Selection(span, filters, wanted, (kind,) if kind else ())
    page = find(reading, selection, limit=limit, before=before)
    words = Words(language)
    found = [anomaly_of(Known(finding_of(each.payload), each), words, context.zone) for each in page.findings]
    return Found(findings=found, truncated=page.truncated, next_before=position_text(page.before))


def anomaly_of(known: Known, words: Words, zone: ZoneInfo) -> Anomaly:
    """A finding as it is sent."""
    finding, kept = known.finding, known.kept
    return Anomaly(
        subject=" ".join(filter(None, (finding.subject.method, finding.subject.route))) or "*",
        about=_about(finding.subject),
        related=None if finding.related is None else _about(finding.related),
        state="open" if finding.end is None else "closed",
        sentence=say(finding, words, zone),
        cause=say_cause(finding, words),
        cause_class=finding.cause,
        recommendation=say_improvement(finding, words),
        evidence=[Number.model_validate(each, from_attributes=True) for each in finding.evidence],
        **_numbers(finding),
        **_keeping(kept),
    )


def position_text(position: Position | None) -> str | None:
    """A place in the list, as a parameter."""
    return None if position is None else f"{position[0].isoformat()}/{position[1]}"


def _numbers(finding: Finding) -> dict[str, Any]:
    names = ("kind", "severity", "start", "end", "unit", "observed", "expected", "effect", "score", "p", "n")
    return {name: getattr(finding, name) for name in names}


def _keeping(kept: KeptFinding | None) -> dict[str, Any]:
    if kept is None:
        return {"id": None, "incident": None, "late": False, "opened_at": None, "updated_at": None}
    return {
        "id": kept.key,
        "incident": kept.incident,
        "late": kept.late,
        "opened_at": kept.opened_at,
        "updated_at": kept.updated_at,
    }


def _about(subject: Subject) -> About:
    return About.model_validate(subject, from_attributes=True)


def _span(given: Given, context: Context) -> Range | None:
    named = any(given.get(name) for name in ("start", "end", "last"))
    return range_of(given, context.complete) if named else None


def _before(given: Given, _context: Context) -> Position | None:
    text = text_of(given, "before")
    if text is None:
        return None
    moment, _, key = text.rpartition("/")
    try:
        at: datetime = parse_moment(moment, "before")
    except BadRange:
        raise BadParameter("before must be `next_before` of the page before") from None
    return at, key


def _kind(given: Given, _context: Context) -> str | None:
    text = text_of(given, "kind")
    if text is not None and text not in KINDS:
        raise BadParameter(f"kind must be one of {', '.join(KINDS)}")
    return text


SPAN = Input(
    "span",
    (
        *(Parameter(each.name, each.text, each.schema) for each in WHOLE.parameters[:2]),
        Parameter("last", "A range that ends where the data is complete. Without a range: all of it.", {
            name: value for name, value in WHOLE.parameters[2].schema.items() if name != "default"
        }),
    ),
    _span,
)  # fmt: skip
STATE = Input(
    "state",
    (Parameter("state", "What lasts, or what is over.", {"type": "string", "enum": list(STATES), "default": "all"}),),
    lambda given, _: choice(given, "state", STATES),
)
KIND = Input("kind", (Parameter("kind", "Only this kind.", {"type": "string", "enum": list(KINDS)}),), _kind)
BEFORE = Input("before", (Parameter("before", "`next_before` of the page before.", {"type": "string"}),), _before)

ROUTES = (
    Route(
        "/stats/anomalies",
        "Deviations larger than chance, with a presumed cause and a recommendation",
        make_anomalies,
        Anomalies,
        (WHOLE, FILTERS, LANGUAGE),
    ),
    Route(
        "/stats/findings",
        "Everything that the watch found, what lasts and what is over, page by page",
        make_findings,
        Found,
        (SPAN, FILTERS, STATE, KIND, number("limit", "Most findings.", 100, 500), BEFORE, LANGUAGE),
    ),
)
