"""What changed: for requests, failures and slow requests the values that explain the difference, ranked."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import Children, note
from dashapp.components.values import linked_value
from dashapp.insight.changes import MEASURES, Explanation, Measure
from dashapp.insight.groups import Window
from dashapp.sentences_findings import chance
from dashapp.stats.changes import Changed
from dashapp.values import field_name, value_name
from dashapp.view import View
from dashapp.words import Words

MOST_ROWS = 5


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
        "field": field_name(each.field, words),
        "value": html.Code(value_name(each.field, each.value, words)),
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
    value = linked_value(each.field, each.value, view, words)
    rows = [
        html.Div([html.Span(field_name(each.field, words), className="lab"), value, explains], className="fa-h"),
        _bar(each.share_now, "in", words("changed_now")),
        _bar(each.share_before, "out", words("changed_before")),
        html.P(" · ".join(more), className="sub"),
    ]
    if each.same:
        values = [
            part
            for same in each.same
            for part in (", ", field_name(same[0], words), " ", linked_value(*same, view, words))
        ]
        rows.append(html.P([words("changed_same"), *values[1:]], className="sub same"))
    return rows


def _bar(share: float, kind: str, name: str) -> Component:
    mark = html.I(html.B(style={"width": f"{share * 100:.1f}%"}), **aria(hidden="true"))
    return html.Div([html.Span(name, className="sr"), mark, html.Span(fmt.rate(share))], className=f"pr {kind}")


def _count(n: float, each: Explanation, words: Words) -> str:
    text = words("n_times", n=fmt.count(round(n)))
    return text if each.exact or not round(n) else words("changed_about", n=text)
