"""Findings: everything that stood out in a range, what lasts and what is over, by kind.

Ids: findings-said (how many), findings-states, findings-kinds (links that choose), findings-list. What failed stands in
`findings-list-failed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import card, choice_link, note
from dashapp.components.finding_panel import Look
from dashapp.components.findings import finding_history
from dashapp.components.part import part, shown
from dashapp.insight.finding import KINDS, Finding
from dashapp.parts import Failed, Parts
from dashapp.sentences_findings import say_nothing_found, title
from dashapp.site import Site, most_points
from dashapp.stats.known_findings import Found
from dashapp.stats.overview import Question, found, totals
from dashapp.time_range import bucket_minutes
from dashapp.view import View
from dashapp.words import Words
from sql.connection import Reading

PATH = "/findings"
TAB = ""
PARENT = "/"
STATES = ("all", "open", "closed")


def layout(_site: Site, words: Words) -> Component:
    """The page before its list."""
    choice = html.Div(
        [
            html.Div(id="findings-states", className="seg", role="group", **aria(label=words("state"))),
            html.Div(id="findings-kinds", className="kind-chips", role="group", **aria(label=words("what_kind"))),
        ],
        className="find-choice",
    )
    return html.Div(
        [
            dcc.Store(id="findings-read-at"),
            card(
                words("findings"),
                [choice, part("findings-list", words)],
                subtitle=words("findings_unit"),
                aside=html.Span(id="findings-said", className="sub", role="status"),
                flush=True,
            ),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callback of the page."""

    def update_page(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        kept_since = read_at if ctx.triggered_id == "shell-tick" else None
        return show(read_page(site, view), Look(view, site.complete(), site.zone, words), site, kept_since)

    app.callback(
        output=_OUTPUTS,
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data"), State("findings-read-at", "data")],
    )(update_page)


_OUTPUTS = {
    "list": Output("findings-list", "children"),
    "list_failed": Output("findings-list-failed", "children"),
    "states": Output("findings-states", "children"),
    "kinds": Output("findings-kinds", "children"),
    "said": Output("findings-said", "children"),
    "read_at": Output("findings-read-at", "data"),
}


@dataclass(frozen=True, slots=True)
class FoundOf:
    """Findings, and how many requests the range has."""

    found: Found
    requests: int


def read_page(site: Site, view: View) -> FoundOf | Failed:
    """Findings of the view; viewers of the same one at the same moment share them."""
    minutes = bucket_minutes(view.whole, most=most_points())
    question = Question(view.whole, view.filters, view.comparison, minutes, site.zone, site.complete())

    def ask(reading: Reading) -> FoundOf:
        return FoundOf(found(reading, question), totals(reading, question).total.total)

    def read() -> FoundOf | Failed:
        with Parts(site.engine) as parts:
            return parts.read(ask)

    return site.shared.get(("findings", question), read)


def show(read: FoundOf | Failed, look: Look, site: Site, kept_since: str | None = None) -> dict[str, Any]:
    """List and choices."""
    words = look.words
    state, kind = chosen(look.view)

    def listed(each: FoundOf) -> Component:
        if not each.found.findings:
            return note(say_nothing_found(each.requests, each.found.watched, words))
        some = choose(each.found.findings, state, kind)
        return finding_history(replace(each.found, findings=some), look) if some else note(words("no_findings_chosen"))

    content, failed = shown(read, listed, title=words("findings"), words=words, kept_since=kept_since, blank=None)
    placed = {"list": content, "list_failed": failed}
    if isinstance(read, Failed):
        return placed | dict.fromkeys(("states", "kinds", "said", "read_at"), no_update)
    all_ = read.found.findings
    lasting = sum(each.end is None for each in all_)
    return placed | {
        "states": _states(all_, state, kind, look),
        "kinds": _kinds(all_, state, kind, look),
        "said": words("findings_said", n=fmt.count(len(all_)), open=fmt.count(lasting)) if all_ else "",
        "read_at": fmt.clock_seconds(site.now(), site.zone),
    }


def chosen(view: View) -> tuple[str, str | None]:
    """State and kind that the address asks for; what does not exist does not choose."""
    state, kind = view.parameters.get("state", ""), view.parameters.get("kind")
    return state if state in STATES else STATES[0], kind if kind in KINDS else None


def choose(each: Sequence[Finding], state: str, kind: str | None) -> list[Finding]:
    """Findings of a state and a kind."""
    return [
        one
        for one in each
        if (state == "all" or (one.end is None) == (state == "open")) and (kind is None or one.kind == kind)
    ]


def _states(each: Sequence[Finding], state: str, kind: str | None, look: Look) -> list[Component]:
    return [
        choice_link(
            _counted(look.words(f"state_{name}"), len(choose(each, name, kind))),
            look.view.link(PATH, state=None if name == "all" else name),
            chosen=name == state,
            link_id=f"findings-state-{name}",
        )
        for name in STATES
    ]


def _kinds(each: Sequence[Finding], state: str, kind: str | None, look: Look) -> list[Component]:
    """The kinds that the range has, and the one that was chosen."""
    counts = Counter(one.kind for one in choose(each, state, None))
    links = [choice_link(look.words("kinds_all"), look.view.link(PATH, kind=None), chosen=kind is None)]
    for name in KINDS:
        if counts[name] or name == kind:
            label = _counted(title(name, look.words), counts[name])
            href = look.view.link(PATH, kind=None if name == kind else name)
            links.append(choice_link(label, href, chosen=name == kind, link_id=f"findings-kind-{name}"))
    return links


def _counted(text: str, n: int) -> list[Any]:
    return [text, " ", html.Span(fmt.count(n), className="n-of")]
