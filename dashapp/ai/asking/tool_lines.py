"""What each tool reads, as lines with figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from dashapp.ai.asking.charts import Chart, bar
from dashapp.ai.evidence import Noted
from dashapp.ai.gathering_findings import finding_lines
from dashapp.ai.gathering_shared import changed_lines, slowest_lines
from dashapp.ai.ledger import Ledger
from dashapp.comparison import Kind, comparison_of
from dashapp.stats.clients import clients
from dashapp.stats.errors import statuses
from dashapp.stats.known_findings import known_findings
from dashapp.stats.summary import Summary, summary
from dashapp.stats.traffic import traffic
from dashapp.stats.usage import Endpoint, usage
from dashapp.time_range import bucket_minutes
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range

_STEPS = 24
_MOST_STATUSES = 12
_MOST_FINDINGS = 8
Lines = tuple[list[str], Chart | None]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a tool is asked about: `about` is the endpoint as it is shown, `of` the further filters."""

    reading: Reading
    ledger: Ledger
    whole: Range
    filters: Filters
    about: str
    of: Mapping[str, str]
    complete: datetime
    noted: list[Noted]
    rows: Sequence[Mapping[str, Any]] = ()

    def figure(self, value: float, unit: Any, measure: str, **more: Any) -> str:
        """Take down a figure under the filters."""
        of = {**self.of, **more.pop("of", {})}
        text = ", ".join(filter(None, [*(f"{name} {each}" for name, each in self.of.items()), more.pop("of_text", "")]))
        return self.ledger.figure(
            value, unit, measure, of=of, of_text=text, about=more.pop("about", self.about), **more
        )


def traffic_lines(asked: Narrowed) -> Lines:
    """Totals and the course."""
    zone = asked.ledger.zone
    total = summary(asked.reading, asked.whole, asked.filters, asked.complete)
    minutes = bucket_minutes(asked.whole, most=_STEPS)
    series = traffic(asked.reading, asked.whole, asked.filters, minutes=minutes, zone=zone, complete=asked.complete)
    lines = [f"{_name(asked)}: {_totals(asked, total)}"]
    bars = []
    for each in series.buckets:
        if each.total is None:
            continue
        span = Range(each.start, min(each.start + timedelta(minutes=minutes), asked.whole.end))
        take = partial(asked.figure, span=span)
        requests = take(each.total, "count", "requests")
        parts = [f"requests {requests}", f"errors {take(each.errors or 0, 'count', 'errors')}"]
        if each.latency.p95 is not None:
            parts.append(f"p95 {take(each.latency.p95, 'ms', 'p95')}")
        label = f"{each.start.astimezone(zone):%m-%d %H:%M}"
        lines.append(f"from {each.start.astimezone(zone):%m-%d} {asked.ledger.moment(each.start)}: {', '.join(parts)}")
        bars.append(bar(label, each.total, requests))
    return lines, Chart(kind="time", measure="requests", bars=bars)


def endpoints_lines(asked: Narrowed, sort: str, limit: int) -> Lines:
    """Endpoints by a measure."""
    used = usage(asked.reading, asked.whole, asked.filters).endpoints
    used.sort(key=lambda each: (-_measure(each, sort), each.route, each.method))
    lines, bars = [], []
    for each in used[:limit]:
        about = asked.ledger.endpoint(each.method, each.route)
        take = partial(asked.figure, about=about)
        cited = {
            "requests": take(each.count, "count", "requests"),
            "errors": take(each.errors, "count", "errors"),
            "server_errors": take(each.server_errors, "count", "server_errors"),
            "error_rate": take(each.error_rate, "share", "error_rate"),
        }
        for name in ("mean", "p95"):
            if (value := getattr(each.latency, name)) is not None:
                cited[name] = take(value, "ms", name)
        share = take(each.share, "share", "share")
        text = ", ".join(f"{name} {value}" for name, value in cited.items())
        lines.append(f"{about}: {text}, share of all requests {share}")
        if sort in cited:
            bars.append(bar(about, _measure(each, sort), cited[sort]))
    if used and sort in ("errors", "server_errors"):
        lines.append(_of_all_errors(asked, used, sort))
    return lines or ["no requests"], Chart(kind="endpoint", measure=sort, bars=bars)


def statuses_lines(asked: Narrowed) -> Lines:
    """Status codes."""
    found = statuses(asked.reading, asked.whole, asked.filters)
    lines, bars = [], []
    for each in found.statuses[:_MOST_STATUSES]:
        take = partial(asked.figure, of={"status": str(each.status)}, of_text=f"status {each.status}")
        count = take(each.count, "count", "requests")
        lines.append(f"status {each.status}: requests {count}, share {take(each.share, 'share', 'share')}")
        bars.append(bar(str(each.status), each.count, count))
    codes = {each.status for each in found.statuses}
    for about in {asked.about, ""}:
        asked.ledger.statuses[about] = tuple(sorted(codes | {*asked.ledger.statuses.get(about, ())}))
    return lines or ["no requests"], Chart(kind="status", measure="requests", bars=bars)


def slowest_requests_lines(asked: Narrowed) -> list[str]:
    """The slowest requests."""
    lines = slowest_lines(asked.reading, asked.ledger, asked.whole, asked.filters)
    return lines or ["no request has a latency"]


def clients_lines(asked: Narrowed, limit: int) -> Lines:
    """The clients with the most requests."""
    lines, bars = [], []
    for each in clients(asked.reading, asked.whole, asked.filters, most=limit).clients:
        shown = asked.ledger.name("client_ip", each.client_ip)
        take = partial(asked.figure, of={"client_ip": each.client_ip}, of_text=shown)
        requests = take(each.count, "count", "requests")
        lines.append(
            f"{shown}: requests {requests}, share {take(each.share, 'share', 'share')}, "
            f"errors {take(each.errors, 'count', 'errors')}"
        )
        bars.append(bar(shown, each.count, requests))
    return lines or ["no client is known"], Chart(kind="client", measure="requests", bars=bars)


def compare_lines(asked: Narrowed, against: str) -> list[str]:
    """Totals, and those of another time."""
    comparison = comparison_of(cast("Kind", against), asked.whole, asked.ledger.zone)
    there = comparison.range_of(asked.whole)
    read = partial(summary, asked.reading, filters=asked.filters, complete=asked.complete)
    now, then = read(whole=asked.whole), read(whole=there)
    first = there.start.astimezone(asked.ledger.zone)
    lines = [
        f"{_name(asked)} now: {_totals(asked, now)}",
        f"{_name(asked)} before, from {first:%m-%d} {asked.ledger.moment(there.start)}: {_totals(asked, then, there)}",
    ]
    if then.total:
        lines.append(f"change of requests {asked.figure(now.total / then.total - 1, 'change', 'requests')}")
    return lines


def changes_lines(asked: Narrowed, against: str) -> list[str]:
    """What explains the difference."""
    comparison = comparison_of(cast("Kind", against), asked.whole, asked.ledger.zone)
    found = changed_lines(asked.reading, asked.ledger, asked.whole, asked.filters, comparison, asked.complete)
    return found or ["nothing differs beyond chance"]


def findings_lines(asked: Narrowed) -> list[str]:
    """What deviates."""
    known = known_findings(asked.reading, asked.whole, asked.filters, asked.complete).findings[:_MOST_FINDINGS]
    return finding_lines(asked.ledger, [each.finding for each in known], asked.noted) or ["nothing deviates"]


def samples_lines(asked: Narrowed, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Requests of the log."""
    lines = []
    for row in rows:
        about = asked.ledger.endpoint(row["method"], row["route"])
        latency = ""
        if row["latency_ms"] is not None:
            latency = f", latency {asked.figure(row['latency_ms'], 'ms', 'latency', about=about, page='/logs')}"
        client = f", {asked.ledger.name('client_ip', str(row['client_ip']))}" if row["client_ip"] else ""
        lines.append(f"at {asked.ledger.moment(row['ts'])} {about}: status {row['status']}{latency}{client}")
    codes = {row["status"] for row in rows}
    asked.ledger.statuses[""] = tuple(sorted(codes | {*asked.ledger.statuses.get("", ())}))
    return lines or ["no requests"]


def _name(asked: Narrowed) -> str:
    return asked.about or "all requests"


def _totals(asked: Narrowed, each: Summary, span: Range | None = None) -> str:
    take = partial(asked.figure, span=span, when="before" if span else "now")
    parts = [
        f"requests {take(each.total, 'count', 'requests')}",
        f"errors {take(each.errors, 'count', 'errors')} ({take(each.error_rate or 0.0, 'share', 'error_rate')})",
        f"4xx {take(each.client_errors, 'count', 'client_errors')}",
        f"5xx {take(each.server_errors, 'count', 'server_errors')}",
    ]
    latency = each.latency_ms
    named = [(name, getattr(latency, name)) for name in ("mean", "p50", "p95", "p99")]
    parts += [f"{name} {take(value, 'ms', name)}" for name, value in named if value is not None]
    return ", ".join(parts)


def _of_all_errors(asked: Narrowed, used: list[Endpoint], sort: str) -> str:
    """What part of all errors the first endpoint has."""
    total = sum(_measure(each, sort) for each in used)
    first = used[0]
    if not total:
        return "no errors at all"
    about = asked.ledger.endpoint(first.method, first.route)
    named = "server_errors" if sort == "server_errors" else "errors"
    whole = asked.figure(total, "count", named, about="")
    share = asked.figure(_measure(first, sort) / total, "share", "share_of_errors", about=about)
    return f"all errors {whole}; {about} has {share} of them"


def _measure(each: Endpoint, name: str) -> float:
    if name == "requests":
        return float(each.count)
    if name in ("mean", "p95"):
        return float(getattr(each.latency, name) or 0.0)
    return float(getattr(each, name))
