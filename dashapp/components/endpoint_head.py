"""The name of the endpoint that a page is about, its key figures in one line, and the way back to all endpoints."""

from __future__ import annotations

from collections.abc import Callable

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import Change, change, points
from dashapp.components.card import Children, icon
from dashapp.components.changes import change_mark
from dashapp.stats.overview import Totals
from dashapp.stats.summary import Summary
from dashapp.stats.tally import is_notable
from dashapp.view import View
from dashapp.words import Words

_PERCENTILES = ("p50", "p90", "p95", "p99")
# A phone shows six: p90 lies between two of them, and the longest stands first among the slowest requests.
_WIDE_ONLY = {"p90", "max"}


def endpoint_title(view: View, path: str, words: Words) -> list[Component]:
    """Method and route as text, and the link back."""
    back = view.link(path, method=None, route=None, among=None)
    return [
        dcc.Link([icon("back"), words("all_endpoints")], href=back, className="button back", id="endpoints-back"),
        html.H2(
            [html.Span(view.filters.method, className="m"), " ", html.Span(view.filters.route, className="rt")],
            id="endpoints-name",
        ),
    ]


def endpoint_figures(totals: Totals, name: str, words: Words) -> list[Component]:
    """Calls, errors and latency; beside them the change against the comparison, whose name is `name`."""
    total, latency = totals.total, totals.total.latency_ms
    sides = (totals.now, totals.before) if totals.now and totals.before else None
    rate_change = points(sides[0].error_rate, sides[1].error_rate, good="down") if sides else None
    notable = is_notable(total.server_errors, total.total)
    figures = [
        _figure("requests", words("calls"), fmt.count(total.total), _change(sides, lambda each: each.total)),
        _figure("error-rate", words("error_rate"), fmt.rate(total.error_rate), rate_change, notable=notable),
        _figure(
            "mean",
            words("mean"),
            fmt.duration(latency.mean),
            _change(sides, lambda each: each.latency_ms.mean, good=True),
        ),
        *(_figure(each, each, fmt.duration(getattr(latency, each)), _percentile(sides, each)) for each in _PERCENTILES),
        _figure("max", words("max"), fmt.duration(latency.max), None),
    ]
    notes: list[Children] = []
    if name and sides is None:
        notes.append(f"{name}: {words('nothing_there')}")
    elif name:
        notes.append(words("against", name=name))
        if totals.both and totals.both.left_out:
            notes.append(words("left_out", n=fmt.count(totals.both.left_out)))
    if latency.p95 is not None:
        notes.append(words("bound_percentiles", bound=fmt.error_bound(latency.error_bound)))
    return [html.Dl(figures, className="sts"), html.P(" · ".join(notes), className="sub det-note")]


def _percentile(sides: tuple[Summary, Summary] | None, name: str) -> Change | None:
    return _change(sides, lambda each: getattr(each.latency_ms, name), good=True)


def _change(
    sides: tuple[Summary, Summary] | None, value: Callable[[Summary], float | None], *, good: bool = False
) -> Change | None:
    if sides is None:
        return None
    now, before = (value(each) for each in sides)
    return change(now, before, good="down" if good else None)


def _figure(name: str, title: str, value: str, changed: Change | None, *, notable: bool = False) -> Component:
    number, _, unit = value.partition(" ")
    shown: list[Children] = [html.B([number, html.Small(f" {unit}")] if unit else number, id=f"endpoints-{name}")]
    if changed is not None:
        shown += [" ", change_mark(changed)]
    return html.Div(
        [html.Dt(title, className="lab"), html.Dd(shown, className="notable" if notable else "")],
        className="only-w" if name in _WIDE_ONLY else "",
    )
