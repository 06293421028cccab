"""What changed: for requests, failures and slow requests the values that explain the difference, ranked."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import Children, note
from dashapp.insight.changes import MEASURES, Explanation, Measure
from dashapp.insight.groups import Window
from dashapp.sentences_findings import chance, client_type_name
from dashapp.stats.change_fields import MOST_CHARACTERS
from dashapp.stats.changes import Changed
from dashapp.view import View
from dashapp.words import Words

MOST_ROWS = 5
_ATTRIBUTE = "attributes."
# Fields that a parameter of the address filters.
_FILTERS = {
    "service": "service",
    "method": "method",
    "route": "route",
    "status": "status",
    "client_ip": "client_ip",
    "network": "client_ip",
    "path": "text",
}


def what_changed(found: Changed, view: View, words: Words) -> Component:
    """A column for each measure; a click on a value filters by it."""
    if found.now is None:
        return note(words("changed_unknown"))
    now, before = round(found.counts_now.n), round(found.counts_before.n)
    if not now or not before:
        return note(words("changed_few", now=fmt.count(now), before=fmt.count(before)))
    columns = [_column(measure, found, view, words) for measure in MEASURES]
    every = [each for listed in found.found.values() for each in listed[:MOST_ROWS]]
    sampled = [words("changed_sampled", n=fmt.count(found.drawn))] if any(not each.exact for each in every) else []
    rest = [html.P([_legend(words), *sampled], className="sub basis")] if every else []
    return html.Div([html.Div(columns, className="changed"), *rest])


def _legend(words: Words) -> Component:
    """What the two bars of a value are."""
    sides = (("in", "changed_now"), ("out", "changed_before"))
    return html.Span(
        [html.Span([html.I(className=f"sw {kind}"), words(key)]) for kind, key in sides], className="pr-key"
    )


def _column(measure: Measure, found: Changed, view: View, words: Words) -> Component:
    now, before = (_total(each, measure) for each in (found.counts_now, found.counts_before))
    counts = words("changed_counts", before=fmt.count(before), now=fmt.count(now))
    if measure == "slow" and found.slow_ms is not None:
        counts = f"{words('changed_from', ms=fmt.duration(found.slow_ms))} · {counts}"
    head = html.H3([words(f"changed_{measure}"), html.Span(counts, className="sub")])
    listed = found.found.get(measure, ())
    if not listed:
        return html.Section([head, note(words("changed_none"))], className="changed-of")
    rows = [html.Li(_row(each, view, words)) for each in listed[:MOST_ROWS]]
    return html.Section([head, _sentence(listed[0], words), html.Ul(rows, className="fas")], className="changed-of")


def _total(window: Window, measure: Measure) -> int:
    return round({"requests": window.n, "failures": window.failed, "slow": window.slow}[measure])


def _sentence(each: Explanation, words: Words) -> Component:
    values = {
        "what": words(f"changed_what_{each.measure}"),
        "field": _field(each.field, words),
        "value": html.Code(_value(each.field, each.value, words)),
        "before": _count(each.before, each, words),
        "now": html.B(_count(each.now, each, words)),
        "explains": html.B(f"{abs(each.explains) * 100:.0f}%"),
    }
    return html.P(words.rich("changed_more" if each.up else "changed_less", **values), className="concl")


def _row(each: Explanation, view: View, words: Words) -> list[Component]:
    more: list[Children] = [words("changed_chance", chance=chance(each.q, words))]
    if each.rate_now is not None and each.rate_before is not None:
        more.append(words("changed_rate", before=fmt.rate(each.rate_before), now=fmt.rate(each.rate_now)))
    explains = html.Span(
        f"{'+' if each.up else fmt.MINUS}{abs(each.explains) * 100:.0f}%", className="lift hi" if each.up else "lift"
    )
    value = _named(each.field, each.value, view, words)
    rows = [
        html.Div([html.Span(_field(each.field, words), className="lab"), value, explains], className="fa-h"),
        _bar(each.share_now, "in", words("changed_now")),
        _bar(each.share_before, "out", words("changed_before")),
        html.P(" · ".join(more), className="sub"),
    ]
    if each.same:
        values = [
            part for same in each.same for part in (", ", _field(same[0], words), " ", _named(*same, view, words))
        ]
        rows.append(html.P([words("changed_same"), *values[1:]], className="sub same"))
    return rows


def _named(field: str, value: str | int, view: View, words: Words) -> Component:
    """A value; a click filters by it where an address can."""
    text = _value(field, value, words)
    name = html.Span(text, className="rt ell", title=text)
    filters = filter_of(field, value)
    return dcc.Link(name, href=view.link(**filters), className="ell") if filters else name


def filter_of(field: str, value: str | int) -> dict[str, str]:
    """Parameters that show the requests with a value; none where no filter can."""
    name = field.removeprefix(_ATTRIBUTE)
    if name != field:
        # A value that was cut is none that a row has.
        return {} if ":" in name or len(str(value)) >= MOST_CHARACTERS else {"attribute": f"{name}:{value}"}
    if field == "product":
        # What browsers are called stands in no agent as it is written here.
        return {"agent": str(value)} if "/" in str(value) else {}
    return {_FILTERS[field]: str(value)} if field in _FILTERS else {}


def _bar(share: float, kind: str, name: str) -> Component:
    mark = html.I(html.B(style={"width": f"{share * 100:.1f}%"}), **aria(hidden="true"))
    return html.Div([html.Span(name, className="sr"), mark, html.Span(fmt.rate(share))], className=f"pr {kind}")


def _field(field: str, words: Words) -> str:
    """The name of a field; an attribute has the name that the log gives it."""
    key = f"trait_{field}"
    return words(key) if words.has(key) else field.removeprefix(_ATTRIBUTE)


def _value(field: str, value: Any, words: Words) -> str:
    return client_type_name(str(value), words) or str(value) if field == "client_type" else str(value)


def _count(n: float, each: Explanation, words: Words) -> str:
    text = words("n_times", n=fmt.count(round(n)))
    return text if each.exact or not round(n) else words("changed_about", n=text)
