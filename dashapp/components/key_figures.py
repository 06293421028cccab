"""The four key figures of Overview, each with the course of its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import Change, change, points
from dashapp.components.attributes import aria
from dashapp.components.changes import change_mark
from dashapp.stats.summary import Summary
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.words import Words

_WIDTH, _HEIGHT, _PAD = 148, 36, 2


@dataclass(frozen=True, slots=True)
class Against:
    """The other side of a comparison: its name, its figures and course; `left_out` minutes are on neither side.

    `now` are the figures of the range without those minutes.
    """

    name: str
    now: Summary
    before: Summary
    course: Traffic
    left_out: int

    @property
    def per_second(self) -> tuple[float, float]:
        """Throughput now and before."""
        now, before = (each.total / (each.end - each.start).total_seconds() for each in (self.now, self.before))
        return now, before


def key_figures(
    total: Summary,
    traffic: Traffic,
    *,
    seconds: float,
    zone: ZoneInfo,
    words: Words,
    against: Against | None = None,
) -> list[Component]:
    """Requests, error rate, p95 and throughput.

    `seconds` is the part of the range for which requests can be known.
    """
    known = [bucket for bucket in traffic.buckets if bucket.total is not None]
    through = total.total / seconds if seconds > 0 else None
    latency = total.latency_ms
    per_minute = fmt.mean_count(total.total / seconds * 60) if seconds > 0 else fmt.UNKNOWN
    changes = _changes(against) if against else [None] * 4
    details = [
        words("per_minute_mean", n=per_minute),
        words("client_server", client=fmt.count(total.client_errors), server=fmt.count(total.server_errors)),
        words("no_latency")
        if latency.p95 is None
        else words("p50_p99", p50=fmt.duration(latency.p50), p99=fmt.duration(latency.p99)),
        _highest(known, traffic.interval_minutes, zone, words),
    ]
    shown: list[Any] = [
        [html.Span([change_mark(each), " ", html.Span(words("against", name=against.name), className="only-w")])]
        if against
        else detail
        for each, detail in zip(changes, details, strict=True)
    ]
    courses = [
        [sparkline(_course(traffic, value), beside=_course(against.course, value) if against else ())]
        + ([sparkline(_course(against.course, value), beside=_course(traffic, value), dotted=True)] if against else [])
        for value in (_total, _error_rate, _p95, _total)
    ]
    bound = words("bound", bound=fmt.error_bound(latency.error_bound)) if latency.p95 is not None else ""
    figures = [
        _key_figure(
            "overview-requests",
            words("requests"),
            fmt.count(total.total),
            after=words("requests_unit"),
            detail=shown[0],
            course=courses[0],
        ),
        _key_figure(
            "overview-error-rate",
            words("error_rate"),
            fmt.rate(total.error_rate),
            note="4xx + 5xx",
            detail=shown[1],
            course=courses[1],
        ),
        _key_figure(
            "overview-p95",
            words("p95_latency"),
            fmt.duration(latency.p95),
            note=bound,
            detail=shown[2],
            course=courses[2],
        ),
        _key_figure(
            "overview-throughput",
            words("throughput"),
            fmt.per_second(through),
            detail=shown[3],
            course=courses[3],
        ),
    ]
    if against and against.left_out:
        figures.append(html.P(words("left_out", n=fmt.count(against.left_out)), className="left-out c12"))
    return figures


def _changes(against: Against) -> list[Change | None]:
    now, before = against.now, against.before
    p95 = change(now.latency_ms.p95, before.latency_ms.p95, good="down")
    return [
        change(now.total, before.total),
        points(now.error_rate, before.error_rate, good="down"),
        p95,
        change(*against.per_second),
    ]


def _total(bucket: TrafficBucket) -> float | None:
    return bucket.total


def _error_rate(bucket: TrafficBucket) -> float | None:
    return (bucket.errors or 0) / bucket.total if bucket.total else None


def _p95(bucket: TrafficBucket) -> float | None:
    return bucket.latency.p95


def sparkline(
    values: Sequence[float | None], *, beside: Sequence[float | None] = (), dotted: bool = False
) -> Component:
    """The course of a value, not from zero; unknown values leave gaps. `beside` shares its scale.

    An SVG used as a mask, so that its colour is the theme's.
    """
    drawn = _points(values, [value for value in (*values, *beside) if value is not None])
    paths = "".join(f"<path d='{path}'/>" for path in drawn)
    stroke = "1.25' stroke-dasharray='0.1 3" if dotted else "1.5"
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' preserveAspectRatio='none' "
        f"fill='none' stroke='#000' stroke-width='{stroke}' stroke-linejoin='round' stroke-linecap='round'>"
        f"{paths}</svg>"
    )
    mask = f'url("data:image/svg+xml,{quote(svg)}")'
    kind = "spark dotted" if dotted else "spark"
    return html.Div(className=kind, style={"maskImage": mask, "WebkitMaskImage": mask}, **aria(hidden="true"))


def _points(values: Sequence[float | None], known: Sequence[float]) -> list[str]:
    if sum(value is not None for value in values) < 2:
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
    label = (
        fmt.clock(when, zone) if (known[-1].start - known[0].start) <= timedelta(days=1) else fmt.day_clock(when, zone)
    )
    return words("highest", value=fmt.per_second(top.total / (minutes * 60)), when=label)


def _key_figure(
    figure_id: str,
    title: str,
    value: str,
    *,
    detail: Any,
    course: list[Component],
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
            html.Div(course, className="sparks"),
        ],
        className="card kpi c3",
        role="group",
        **aria(label=title),
    )
