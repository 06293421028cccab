"""Status codes: one bar of shares, a row per class, and the most frequent error codes."""

from __future__ import annotations

from http import HTTPStatus

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import points
from dashapp.components.attributes import aria
from dashapp.components.card import swatch
from dashapp.components.changes import signed_mark
from dashapp.stats.errors import StatusCount, Statuses
from dashapp.view import View
from dashapp.words import Words

MOST_CODES = 5
_ERRORS = ("4xx", "5xx")


def status_rows(
    statuses: Statuses, view: View, words: Words, *, now: Statuses | None = None, before: Statuses | None = None
) -> list[Component]:
    """Shares are rounded by largest remainder and sum to 100 %. Each row leads to its requests.

    With `now` and `before`, of the same minutes, each row has the change of its share.
    """
    names = sorted(statuses.classes)
    counts = [statuses.classes[name] for name in names]
    rows = [
        html.Li(
            dcc.Link(
                [
                    swatch(name),
                    html.B(name),
                    html.Span(words(f"class_{name}"), className="t2 ell"),
                    html.Span(fmt.count(n), className="num"),
                    html.Span(share, className="num b"),
                    *_change(name, now, before),
                ],
                href=view.link(status=name),
                className="status-row compared" if before else "status-row",
            )
        )
        for name, n, share in zip(names, counts, fmt.shares(counts), strict=True)
    ]
    return [_bar(names, counts), html.Ul(rows, className="rows"), *_codes(statuses, view, words)]


def _change(name: str, now: Statuses | None, before: Statuses | None) -> list[Component]:
    if now is None or before is None:
        return []
    shares = [each.classes.get(name, 0) / each.total if each.total else None for each in (now, before)]
    mark = signed_mark(points(*shares, good="down" if name in _ERRORS else None))
    return [html.Span(mark, className="num")]


def _bar(names: list[str], counts: list[int]) -> Component:
    parts = [html.I(className=f"s{name[0]}", style={"flexGrow": n}) for name, n in zip(names, counts, strict=True) if n]
    return html.Div(parts, className="stack", **aria(hidden="true"))


def _codes(statuses: Statuses, view: View, words: Words) -> list[Component]:
    errors = [status for status in statuses.statuses if status.status >= 400][:MOST_CODES]
    title = html.H3(words("frequent_errors"), className="sub-h")
    if not errors:
        return [title, html.P(words("no_errors"), className="note")]
    return [title, html.Ul([_code(status, errors[0].count, view) for status in errors], className="rows")]


def _code(status: StatusCount, most: int, view: View) -> Component:
    kind = min(status.status // 100, 5)
    return html.Li(
        dcc.Link(
            [
                html.B(str(status.status), className=f"x{kind}"),
                html.Span(_phrase(status.status), className="t2 ell"),
                html.Span(
                    html.I(className=f"s{kind}", style={"width": f"{status.count / most * 100:.1f}%"}), className="ib"
                ),
                html.Span(fmt.count(status.count), className="num"),
            ],
            href=view.link(status=str(status.status)),
            className="code-row",
        )
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
