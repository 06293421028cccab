"""The drawer with everything that is stored of one request, and how it compares with its endpoint.

Ids: record-layout (the page's two columns), record-chosen (store with the record), record-drawer, record-body,
record-close, record-copy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import icon
from dashapp.components.console import SLOW_MS
from dashapp.components.console_bar import SEARCH
from dashapp.stats.record_context import RecordContext
from dashapp.view import FILTERS, View, moment_text
from dashapp.words import Words

FEWEST_CALLS = 20
_AROUND = timedelta(seconds=30)
_SECOND = timedelta(seconds=1)


def drawer(words: Words) -> Component:
    """The drawer, closed and empty."""
    return html.Aside(
        [
            dcc.Store(id="record-chosen"),
            html.Button(
                icon("close"),
                id="record-close",
                className="button ico",
                type="button",
                title=words("record_close"),
                **aria(label=words("record_close")),
            ),
            html.Div(id="record-body"),
        ],
        id="record-drawer",
        className="card drawer",
        hidden=True,
        **aria(label=words("record")),
    )


def record_body(
    record: Mapping[str, Any], context: RecordContext | None, view: View, path: str, zone: ZoneInfo, words: Words
) -> list[Component]:
    """The content of the drawer. Every text of the record is text, never markup."""
    moment = datetime.fromisoformat(str(record["ts"]))
    return [
        _head(record),
        html.Div(
            [
                _latency(record, context, zone, words),
                _actions(record, moment, view, path, zone, words),
                _fields(record, moment, zone, words),
                *_attributes(record, words),
                *_same(record, context, view, zone, words),
            ],
            className="record",
        ),
    ]


def _head(record: Mapping[str, Any]) -> Component:
    kind = min(max(int(record["status"]) // 100, 1), 5)
    return html.Header(
        [
            html.Span(str(record["status"]), className=f"badge-status k{kind}"),
            html.Span(record["method"], className="m"),
            html.H2(record["path"], className="rt"),
        ],
        className="record-head",
    )


def _latency(record: Mapping[str, Any], context: RecordContext | None, zone: ZoneInfo, words: Words) -> Component:
    latency: float | None = record.get("latency_ms")
    number, _, unit = fmt.duration(latency).partition(" ")
    slow = latency is not None and latency >= SLOW_MS
    parts: list[Component] = [
        html.Div(
            [
                html.B([number, html.Small(f" {unit}")], className="bad" if slow else ""),
                html.Span(say_latency(latency, context, words), className="t2"),
            ],
            className="record-big",
        )
    ]
    if latency is not None and context is not None and context.latency.p99 is not None:
        parts += _bars(latency, context, zone, words)
    return html.Div(parts)


def say_latency(latency: float | None, context: RecordContext | None, words: Words) -> str:
    """The latency of a request beside those of its endpoint, in a sentence."""
    if latency is None:
        return words("record_no_latency")
    if context is None:
        return words("record_away")
    p50, p95, p99 = context.latency.p50, context.latency.p95, context.latency.p99
    if context.calls < FEWEST_CALLS or p50 is None or p95 is None or p99 is None:
        return words("record_few", n=fmt.count(context.calls))
    if latency > p99:
        return words("record_slowest_1", p95=fmt.duration(p95), times=f"{latency / p95:.1f}")
    if latency > p95:
        return words("record_slowest_5", p95=fmt.duration(p95))
    if latency > p50:
        return words("record_above_middle", p50=fmt.duration(p50), p95=fmt.duration(p95))
    return words("record_below_middle", p50=fmt.duration(p50))


def _bars(latency: float, context: RecordContext, zone: ZoneInfo, words: Words) -> list[Component]:
    known = context.latency
    measured = [(words("record_this"), latency, "q-this")]
    measured += [(name, value, f"q-{name}") for name, value in _percentiles(context) if value is not None]
    most = max(value for _, value, _ in measured) or 1
    rows = [
        html.Li(
            html.Div(
                [
                    html.B(name),
                    html.Span(html.I(className=kind, style={"width": f"{value / most * 100:.1f}%"}), className="ib"),
                    html.Span(fmt.ms_number(value), className="num"),
                ],
                className="latency-row",
            )
        )
        for name, value, kind in measured
    ]
    scope = words(
        "record_scope",
        start=fmt.day_clock(context.span.start, zone),
        end=fmt.clock(context.span.end, zone),
        n=fmt.count(context.calls),
        bound=fmt.error_bound(known.error_bound),
    )
    return [html.Ul(rows, className="rows"), html.P(scope, className="note left")]


def _percentiles(context: RecordContext) -> list[tuple[str, float | None]]:
    return [("p50", context.latency.p50), ("p95", context.latency.p95), ("p99", context.latency.p99)]


def _actions(
    record: Mapping[str, Any], moment: datetime, view: View, path: str, zone: ZoneInfo, words: Words
) -> Component:
    method, route, status, client = (record.get(name) for name in ("method", "route", "status", "client_ip"))
    links = [
        (words("record_only_route"), view.link(path, method=method, route=route), ""),
        (words("record_only_status", status=status), view.link(path, status=str(status)), ""),
    ]
    if client:
        links.append((words("record_only_client"), view.link(path, client_ip=client), ""))
    around = around_link(record, moment, view, zone)
    others = {name: None for name in FILTERS if name not in ("service", "method", "route")}
    links += [
        (words("record_around"), around, words("record_around_title")),
        (words("record_endpoint"), view.link("/endpoints", **others, method=method, route=route), ""),
    ]
    buttons: list[Component] = [
        dcc.Link(text, href=href, className="button sm", title=title or None) for text, href, title in links
    ]
    copy = html.Button(
        [icon("copy"), words("record_copy_json")], id="record-copy", className="button sm", type="button"
    )
    return html.Div([*buttons, copy], className="record-acts")


def around_link(record: Mapping[str, Any], moment: datetime, view: View, zone: ZoneInfo) -> str:
    """Address of the requests of the same client from half a minute before to half a minute after."""
    start = moment - _AROUND
    end = moment + _AROUND + _SECOND  # addresses hold whole seconds
    return _search(view, start, end, zone, service=record.get("service"), client_ip=record.get("client_ip"))


def _search(view: View, start: datetime, end: datetime, zone: ZoneInfo, **only: str | None) -> str:
    """Address of the requests of a time that pass these filters, and none of the view's."""
    changes = {**dict.fromkeys(FILTERS), **only}
    return view.link(SEARCH, **changes, start=moment_text(start, zone), end=moment_text(end, zone))


def _fields(record: Mapping[str, Any], moment: datetime, zone: ZoneInfo, words: Words) -> Component:
    local = moment.astimezone(zone)
    size = record.get("bytes")
    fields: list[tuple[str, Any]] = [
        (words("record_time"), f"{local:%Y-%m-%d} {fmt.clock_ms(moment, zone)} {fmt.zone_name(moment, zone)}"),
        ("UTC", moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")),
        ("service", record.get("service")),
        ("route", record.get("route")),
        ("client_ip", record.get("client_ip")),
        ("user_agent", record.get("user_agent")),
        ("referer", record.get("referer")),
        ("bytes", None if size is None else f"{size:,} B"),
    ]
    if record.get("received_at"):
        late = (datetime.fromisoformat(str(record["received_at"])) - moment).total_seconds()
        said = words("record_collected_after", source=record.get("source") or fmt.UNKNOWN, seconds=f"{late:,.1f}")
        fields.append((words("record_collected"), said))
    return _pairs(fields)


def _pairs(fields: list[tuple[str, Any]]) -> Component:
    parts: list[Component] = []
    for name, value in fields:
        parts += [html.Dt(name), html.Dd(fmt.UNKNOWN if value in (None, "") else str(value), className="rt")]
    return html.Dl(parts, className="record-fields")


def _attributes(record: Mapping[str, Any], words: Words) -> list[Component]:
    cut = record.get("attributes_cut")
    attributes = record.get("attributes")
    if cut:
        body: list[Component] = [html.Pre(str(cut)), html.P(words("record_attributes_cut"), className="note left")]
    elif isinstance(attributes, Mapping) and attributes:
        body = [_pairs([(str(name), _value(value)) for name, value in attributes.items()])]
    else:
        return []
    return [html.H3(words("record_attributes"), className="sub-h"), *body]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _same(
    record: Mapping[str, Any], context: RecordContext | None, view: View, zone: ZoneInfo, words: Words
) -> list[Component]:
    status = int(record["status"])
    if context is None or status < 400 or not context.same_status:
        return []
    start, end = context.span.start, context.span.end
    endpoint = {name: record.get(name) for name in ("service", "method", "route")}
    href = _search(view, start, end, zone, **endpoint, status=str(status))
    said = words(
        "record_same",
        start=fmt.day_clock(start, zone),
        end=fmt.clock(end, zone),
        status=status,
        n=fmt.count(context.same_status),
    )
    return [html.P([said, " ", dcc.Link(words("record_same_go"), href=href)], className="t2 record-same")]
