"""One finding opened: its sentence, how sure it is, the presumed cause, what to do, each number, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import endpoint_name
from dashapp.insight.finding import Evidence, Finding, Subject
from dashapp.sentences_findings import (
    amount,
    client_type_name,
    name_of,
    say_basis,
    say_cause,
    say_improvement,
    say_rich,
)
from dashapp.view import View, moment_text
from dashapp.words import Words

SHORT = timedelta(hours=24)
# Of these the failed requests tell more than the slow ones.
FAILING = frozenset({"error_burst", "new_failing_route"})
_SAID = frozenset({"measure", "hours", "paths", "lag", "after", "other"})  # they stand in the sentence
# What a client did before what it is; others follow.
_ORDER = ("endpoints", "statuses", "clients", "client_type", "product", "user_agent")


@dataclass(frozen=True, slots=True)
class Look:
    """From where a finding is looked at: the view, up to when its numbers are final, and the language."""

    view: View
    complete: datetime
    zone: ZoneInfo
    words: Words

    @property
    def is_short(self) -> bool:
        """Tell whether the time of day names a moment of the range."""
        return self.view.whole.end - self.view.whole.start <= SHORT

    def clock(self, moment: datetime) -> str:
        """A moment, with its day where the range has several."""
        return fmt.clock(moment, self.zone) if self.is_short else fmt.day_clock(moment, self.zone)


def subject_name(subject: Subject, view: View, words: Words) -> Component:
    """Which requests, as a row of a list names it; a service that is filtered anyhow is left out."""
    if subject.method and subject.route:
        service = None if subject.service == view.filters.service else subject.service
        kind = client_type_name(subject.client_type, words)
        details = [service, subject.client_ip or subject.network, subject.status, kind]
        parts: list[Component] = [endpoint_name(subject.method, subject.route)]
        named = ", ".join(each for each in details if each)
        return html.Span([*parts, html.Span(named, className="of")] if named else parts, className="subj")
    return html.Span(name_of(subject, words), className="subj")


def said(each: Finding, look: Look, *, leads: bool = False) -> list[Any]:
    """The sentence; with `leads` the name of an endpoint goes to its analysis, that of others to their time."""
    short = look.is_short
    if not leads:
        return say_rich(each, look.words, look.zone, short=short)
    href = in_depth(each, look) if is_endpoint(each) else time_link(each, look)
    return say_rich(each, look.words, look.zone, short=short, link=lambda name: dcc.Link(name, href=href))


def panel(each: Finding, look: Look, *, sentence: bool = True) -> list[Component]:
    """Everything that is known of it; without its sentence where that stands above it anyhow."""
    words = look.words
    facts = [(words("presumed_cause"), say_cause(each, words)), (words("improvement"), say_improvement(each, words))]
    more = [(_label("fact", name, words), _fact(name, text, words)) for name, text in _facts(each)]
    rows = [part for name, text in [*facts, *more] for part in (html.Dt(name), html.Dd(text))]
    evidence = []
    if each.evidence:
        numbers = html.Ul([html.Li(_number(one, words)) for one in each.evidence])
        head = html.H3([words("evidence"), html.Span(words("evidence_unit"), className="sub")], className="sub-h")
        evidence = [html.Div([head, numbers], className="evid")]
    return [
        *([html.P(said(each, look), className="said-one")] if sentence else []),
        html.P(say_basis(each, words), className="t2"),
        html.Dl(rows),
        *evidence,
        html.Div(actions(each, look), className="acts"),
    ]


def actions(each: Finding, look: Look, *, path: str = "") -> list[Component]:
    """Buttons: its requests, its endpoint, its time, and the page filtered by whom it is about."""
    words = look.words
    links = [(words("see_requests"), time_link(each, look, "/logs"))]
    if is_endpoint(each):
        links.append((words("see_endpoint"), in_depth(each, look)))
    links.append((time_label(each, look), time_link(each, look, path)))
    filters = {name: value for name, value in each.subject.parameters().items() if value}
    if filters and not filters.items() <= look.view.parameters.items():
        links.append((words("only_subject"), look.view.link(path, **filters)))
    return [dcc.Link(text, href=href, className="button sm") for text, href in links]


def time_label(each: Finding, look: Look) -> str:
    """What the button to its time is called."""
    if each.end is None:
        return look.words("show_since", start=look.clock(each.start))
    return look.words("show_span", start=look.clock(each.start), end=look.clock(each.end))


def time_link(each: Finding, look: Look, path: str = "") -> str:
    """Address of its time and its subject."""
    end = each.end or max(look.complete, each.start + timedelta(minutes=1))
    ends = {"start": moment_text(each.start, look.zone), "end": moment_text(end, look.zone)}
    return look.view.link(path, **ends, **each.subject.parameters(), kind=None, state=None)


def in_depth(each: Finding, look: Look) -> str:
    """Address of its endpoint over all of the range, which shows the time before and what the failures share."""
    among = "failed" if each.kind in FAILING else None
    names = {"service": each.subject.service, "method": each.subject.method, "route": each.subject.route}
    known = {name: value for name, value in names.items() if value}
    return look.view.link("/endpoints", **known, among=among, kind=None, state=None)


def is_endpoint(each: Finding) -> bool:
    """Tell whether it is about one method and route."""
    return bool(each.subject.method and each.subject.route)


def _number(one: Evidence, words: Words) -> list[Component]:
    value = html.A(amount(one.value, one.unit, words), href=one.query, target="_blank", rel="noopener")
    return [html.Span(_label("ev", one.name, words), className="mut"), value]


def _facts(each: Finding) -> list[tuple[str, str]]:
    """Facts that the sentence does not tell, in the order of the list; a program named by its whole agent only once."""
    known = {name: text for name, text in each.facts.items() if text and name not in _SAID}
    if known.get("product") == known.get("user_agent"):
        known.pop("product", None)
    place = {name: i for i, name in enumerate(_ORDER)}
    return sorted(known.items(), key=lambda fact: place.get(fact[0], len(_ORDER)))


def _fact(name: str, text: str, words: Words) -> str:
    return client_type_name(text, words) or text if name == "client_type" else text


def _label(kind: str, name: str, words: Words) -> str:
    """The catalogue's name of a number or of a fact, else its own."""
    key = f"ev_{name}" if kind == "ev" else f"fact_{name}"
    return words(key) if words.has(key) else name.replace("_", " ")
