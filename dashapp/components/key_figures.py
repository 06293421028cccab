"""The four key figures of Overview, each with the course of its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.stats.summary import Summary
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.words import Words

_WIDTH, _HEIGHT, _PAD = 148, 36, 2


def key_figures(total: Summary, traffic: Traffic, *, seconds: float, zone: ZoneInfo, words: Words) -> list[Component]:
    """Requests, error rate, p95 and throughput.

    `seconds` is the part of the range for which requests can be known.
    """
    known = [bucket for bucket in traffic.buckets if bucket.total is not None]
    through = total.total / seconds if seconds > 0 else None
    latency = total.latency_ms
    per_minute = fmt.mean_count(total.total / seconds * 60) if seconds > 0 else fmt.UNKNOWN
    return [
        _key_figure(
            "overview-requests",
            words("requests"),
            fmt.count(total.total),
            after=words("requests_unit"),
            detail=words("per_minute_mean", n=per_minute),
            values=_course(traffic, lambda bucket: bucket.total),
        ),
        _key_figure(
            "overview-error-rate",
            words("error_rate"),
            fmt.rate(total.error_rate),
            note="4xx + 5xx",
            detail=words("client_server", client=fmt.count(total.client_errors), server=fmt.count(total.server_errors)),
            values=_course(traffic, lambda bucket: (bucket.errors or 0) / bucket.total if bucket.total else None),
        ),
        _key_figure(
            "overview-p95",
            words("p95_latency"),
            fmt.duration(latency.p95),
            note=words("bound", bound=fmt.error_bound(latency.error_bound)) if latency.p95 is not None else "",
            detail=words("no_latency")
            if latency.p95 is None
            else words("p50_p99", p50=fmt.duration(latency.p50), p99=fmt.duration(latency.p99)),
            values=_course(traffic, lambda bucket: bucket.latency.p95),
        ),
        _key_figure(
            "overview-throughput",
            words("throughput"),
            fmt.per_second(through),
            detail=_highest(known, traffic.interval_minutes, zone, words),
            values=_course(traffic, lambda bucket: bucket.total),
        ),
    ]


def sparkline(values: Sequence[float | None]) -> Component:
    """The course of a value, not from zero; unknown values leave gaps.

    An SVG used as a mask, so that its colour is the theme's.
    """
    points = _points(values)
    paths = "".join(f"<path d='{path}'/>" for path in points)
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' preserveAspectRatio='none' "
        f"fill='none' stroke='#000' stroke-width='1.5' stroke-linejoin='round' stroke-linecap='round'>{paths}</svg>"
    )
    mask = f'url("data:image/svg+xml,{quote(svg)}")'
    return html.Div(className="spark", style={"maskImage": mask, "WebkitMaskImage": mask}, **aria(hidden="true"))


def _points(values: Sequence[float | None]) -> list[str]:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    paths: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            paths.append([])
            continue
        x = _PAD + (_WIDTH - 2 * _PAD) * index / (len(values) - 1)
        level = (value - low) / (high - low) if high > low else 0.5
        paths[-1].append(f"{x:.1f} {_HEIGHT - _PAD - (_HEIGHT - 2 * _PAD) * level:.1f}")
    # A path of one point is drawn as a dot by its round cap.
    return [f"M{path[0]}L{' '.join(path[1:] or path)}" for path in paths if path]


def _course(traffic: Traffic, value: Callable[[TrafficBucket], float | None]) -> list[float | None]:
    return [None if bucket.total is None else value(bucket) for bucket in traffic.buckets]


def _highest(known: Sequence[TrafficBucket], minutes: int, zone: ZoneInfo, words: Words) -> str:
    top = max(known, key=lambda bucket: bucket.total or 0, default=None)
    if top is None or not top.total:
        return ""
    when: datetime = top.start
    label = fmt.clock(when, zone) if len(known) * minutes <= 24 * 60 else fmt.day_clock(when, zone)
    return words("highest", value=fmt.per_second(top.total / (minutes * 60)), when=label)


def _key_figure(
    figure_id: str,
    title: str,
    value: str,
    *,
    detail: str,
    values: Sequence[float | None],
    after: str = "",
    note: str = "",
) -> Component:
    number, _, unit = value.partition(" ")
    shown: list[Any] = [number, html.Small(f" {unit}")] if unit else [number]
    return html.Section(
        [
            html.Div([html.H2(title), html.Span(note, className="mut")], className="t"),
            html.Div([html.Span(shown, id=figure_id), html.Small(after)], className="v"),
            html.Div(detail, className="d"),
            sparkline(values),
        ],
        className="card kpi c3",
        **aria(label=title),
    )
