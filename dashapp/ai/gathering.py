"""Gather the evidence of a window: totals, endpoints, statuses, what is slow, who calls, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from dashapp.ai.evidence import Noted, Pack
from dashapp.ai.gathering_choice import choose_endpoints, key_of, moved_endpoints, worst_endpoints
from dashapp.ai.gathering_findings import finding_lines
from dashapp.ai.gathering_shared import changed_lines, failing_lines, slowest_lines
from dashapp.ai.ledger import Ledger
from dashapp.ai.tokens import rough_tokens
from dashapp.comparison import comparison_of
from dashapp.insight.finding import Finding
from dashapp.stats.clients import clients
from dashapp.stats.errors import StatusCount, Statuses, statuses
from dashapp.stats.known_findings import known_findings
from dashapp.stats.summary import Summary, summary
from dashapp.stats.usage import Endpoint, usage
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.reading import Cell, breakdown
from sql.span import data_span

MOST_TOKENS = 2_800
_MOST_FINDINGS, _MOST_STATUSES, _MOST_CLIENTS, _MOST_SERVICES = 6, 6, 3, 6
_OF_STATUS, _OF_CLIENT = "status", "client_ip"


@dataclass(frozen=True, slots=True)
class Asked:
    """A window, the filters and their parameters in an address, and how the viewer reads times."""

    whole: Range
    filters: Filters
    parameters: Mapping[str, str]
    zone: ZoneInfo
    complete: datetime
    send_addresses: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    """Lines that go or stay together; those of a lower rank stay first."""

    rank: int
    lines: list[str]


def gather(reading: Reading, asked: Asked) -> tuple[Pack, list[Finding]]:
    """Read the evidence of one snapshot, never more than MOST_TOKENS tokens; and the findings in it, in its order."""
    ledger = Ledger(asked.whole, asked.zone, asked.parameters, asked.send_addresses)
    before = time_before(reading, asked)
    now, then = _summary(reading, asked, asked.whole), _summary(reading, asked, before) if before else None
    used = usage(reading, asked.whole, asked.filters).endpoints
    used_before = {key_of(each): each for each in usage(reading, before, asked.filters).endpoints} if before else {}
    found = known_findings(reading, asked.whole, asked.filters, asked.complete).findings[:_MOST_FINDINGS]
    noted: list[Noted] = []
    sections = [
        _Section(0, [_window_line(ledger, before), *totals_lines(ledger, now, then, before)]),
        _Section(1, finding_lines(ledger, [each.finding for each in found], noted)),
    ]
    about_findings = [each.finding.subject for each in found]
    chosen = choose_endpoints(used, used_before, [(each.method, each.route) for each in about_findings])
    sections += [
        _Section(2 + place // 3, [endpoint_line(ledger, each, used_before.get(key_of(each)), before)])
        for place, each in enumerate(chosen)
    ]
    codes = statuses(reading, asked.whole, asked.filters)
    ledger.statuses[""] = tuple(each.status for each in codes.statuses)
    sections.append(_Section(3, [*status_lines(ledger, codes), *_endpoint_statuses(reading, ledger, asked, chosen)]))
    if now.total:
        parts: list[tuple[int, Callable[[], list[str]]]] = [
            *(
                (3, partial(failing_lines, reading, ledger, asked.whole, asked.filters, each))
                for each in worst_endpoints(chosen)
            ),
            (4, partial(slowest_lines, reading, ledger, asked.whole, asked.filters)),
            (4, partial(_changes, reading, ledger, asked)),
            (5, partial(client_lines, reading, ledger, asked.whole, asked.filters)),
            (5, partial(service_lines, reading, ledger, asked, before)),
        ]
        sections += [_Section(rank, make()) for rank, make in parts]
    sections += [
        _Section(6, [short_line(ledger, each, used_before.get(key_of(each)), before)])
        for each in moved_endpoints(used, used_before, chosen)
    ]
    pack = ledger.pack(_fitting(sections), before=before, findings=noted, total=now.total)
    return pack, [each.finding for each in found]


def time_before(reading: Reading, asked: Asked) -> Range | None:
    """The time as long as the window just before it, where any of it is known."""
    whole = asked.whole
    before = Range(whole.start - (whole.end - whole.start), whole.start)
    span = data_span(reading, asked.filters.service)
    return before if span is not None and floor(span.start, MINUTE) <= before.start else None


def totals_lines(ledger: Ledger, now: Summary, then: Summary | None, before: Range | None) -> list[str]:
    """Requests, errors and latencies of all, now and before."""
    lines = [f"all requests: {_sums(ledger, now)}"]
    if now.latency_ms.mean is not None:
        lines.append(f"latency of all: {_latencies(ledger, now)}")
    if then is not None and before is not None:
        latencies = f"; {_latencies(ledger, then, before)}" if then.latency_ms.mean is not None else ""
        change = f"; change of requests {_change(ledger, now.total / then.total - 1)}" if then.total else ""
        lines.append(f"all requests before: {_sums(ledger, then, before)}{latencies}{change}")
    return lines


def endpoint_line(ledger: Ledger, each: Endpoint, former: Endpoint | None, before: Range | None) -> str:
    """One endpoint, now and before."""
    about = ledger.endpoint(each.method, each.route)
    text = f"endpoint {about}: {_calls(ledger, about, each)}"
    if before is None:
        return text
    return f"{text}; before {_calls(ledger, about, former, before) if former else 'none'}"


def short_line(ledger: Ledger, each: Endpoint, former: Endpoint | None, before: Range | None) -> str:
    """An endpoint of which little is to be said: its requests and p95, now and before."""
    about = ledger.endpoint(each.method, each.route)
    text = f"endpoint {about}: {_load(ledger, about, each)}"
    if before is None:
        return text
    return f"{text}; before {_load(ledger, about, former, before) if former else 'none'}"


def service_lines(reading: Reading, ledger: Ledger, asked: Asked, before: Range | None) -> list[str]:
    """Requests and errors of each service, where there are several."""
    now = _by_service(reading, asked.whole, asked.filters)
    then = _by_service(reading, before, asked.filters) if before else {}
    if len(now) < 2:
        return []
    lines = []
    for service, cell in sorted(now.items(), key=lambda item: -item[1].n)[:_MOST_SERVICES]:
        shown = ledger.name("service", service)
        take = partial(ledger.figure, of={"service": service}, of_text=f"service {shown}")
        line = f"service {shown}: requests {take(cell.n, 'count', 'requests')}"
        line += f", errors {take(cell.classes[3] + cell.classes[4], 'count', 'errors')}"
        if (former := then.get(service)) is not None:
            line += f"; before requests {take(former.n, 'count', 'requests', span=before, when='before')}"
        lines.append(line)
    return lines


def _by_service(reading: Reading, whole: Range, filters: Filters) -> dict[str, Cell]:
    return {cell.keys[0]: cell for cell in breakdown(reading, whole, filters, ["service"], sketches=False)}


def status_lines(ledger: Ledger, codes: Statuses, about: str = "") -> list[str]:
    """The most frequent status codes."""
    parts = []
    for each in codes.statuses[:_MOST_STATUSES]:
        take = partial(ledger.figure, about=about, of={_OF_STATUS: str(each.status)}, of_text=f"status {each.status}")
        parts.append(f"{each.status} {take(each.count, 'count', 'requests')} ({take(each.share, 'share', 'share')})")
    where = f" of {about}" if about else ""
    return [f"status codes{where}: {', '.join(parts)}"] if parts else []


def _endpoint_statuses(reading: Reading, ledger: Ledger, asked: Asked, chosen: Sequence[Endpoint]) -> list[str]:
    """Which codes each endpoint answers with; those of the worst as lines."""
    counts: dict[tuple[str, str], dict[int, int]] = {}
    for cell in breakdown(reading, asked.whole, asked.filters, ["method", "route", "status"], sketches=False):
        counts.setdefault((cell.keys[0], cell.keys[1]), {})[cell.keys[2]] = cell.n
    worst = worst_endpoints(chosen)
    lines = []
    for each in chosen:
        about, codes = ledger.endpoint(each.method, each.route), counts.get(key_of(each), {})
        ledger.statuses[about] = tuple(sorted(codes))
        if each in worst:
            found = [StatusCount(code, n, n / each.count) for code, n in codes.items()]
            lines += status_lines(ledger, Statuses(each.count, {}, sorted(found, key=lambda c: -c.count)), about)
    return lines


def client_lines(reading: Reading, ledger: Ledger, whole: Range, filters: Filters) -> list[str]:
    """The clients with the most requests."""
    lines = []
    for each in clients(reading, whole, filters, most=_MOST_CLIENTS).clients:
        shown = ledger.name(_OF_CLIENT, each.client_ip)
        take = partial(ledger.figure, of={_OF_CLIENT: each.client_ip}, of_text=shown)
        lines.append(
            f"client {shown}: requests {take(each.count, 'count', 'requests')} "
            f"({take(each.share, 'share', 'share')} of all), errors {take(each.errors, 'count', 'errors')}"
        )
    return lines


def _fitting(sections: Sequence[_Section]) -> list[str]:
    """Lines of the sections that fit, in their order; of the first rank all."""
    kept: set[int] = set()
    left = MOST_TOKENS
    for place in sorted(range(len(sections)), key=lambda place: sections[place].rank):
        size = rough_tokens("\n".join(sections[place].lines))
        if size <= left:
            kept.add(place)
            left -= size
    return [line for place, section in enumerate(sections) if place in kept for line in section.lines]


def _changes(reading: Reading, ledger: Ledger, asked: Asked) -> list[str]:
    comparison = comparison_of("prev", asked.whole, asked.zone)
    return changed_lines(reading, ledger, asked.whole, asked.filters, comparison, asked.complete)


def _window_line(ledger: Ledger, before: Range | None) -> str:
    whole, zone = ledger.whole, ledger.zone
    minutes = (whole.end - whole.start) // MINUTE
    text = (
        f"window: {whole.start.astimezone(zone):%Y-%m-%d} {ledger.moment(whole.start)} to "
        f"{whole.end.astimezone(zone):%Y-%m-%d} {ledger.moment(whole.end)}, {minutes} minutes"
    )
    return f"{text}; before: the {minutes} minutes before it" if before else f"{text}; nothing is known before it"


def _summary(reading: Reading, asked: Asked, whole: Range) -> Summary:
    return summary(reading, whole, asked.filters, asked.complete)


def _sums(ledger: Ledger, each: Summary, span: Range | None = None) -> str:
    take = partial(ledger.figure, span=span, when="before" if span else "now")
    return (
        f"requests {take(each.total, 'count', 'requests')}, errors {take(each.errors, 'count', 'errors')} "
        f"({take(each.error_rate or 0.0, 'share', 'error_rate')}), "
        f"4xx {take(each.client_errors, 'count', 'client_errors')}, "
        f"5xx {take(each.server_errors, 'count', 'server_errors')}"
    )


def _latencies(ledger: Ledger, each: Summary, span: Range | None = None) -> str:
    take = partial(ledger.figure, span=span, when="before" if span else "now")
    names = ("mean", "p50", "p95", "p99") if span is None else ("mean", "p95")
    values = [(name, getattr(each.latency_ms, name)) for name in names]
    return ", ".join(f"{name} {take(value, 'ms', name)}" for name, value in values if value is not None)


def _calls(ledger: Ledger, about: str, each: Endpoint, span: Range | None = None) -> str:
    take = partial(ledger.figure, span=span, about=about, when="before" if span else "now")
    parts = [
        f"requests {take(each.count, 'count', 'requests')}",
        f"errors {take(each.errors, 'count', 'errors')} ({take(each.error_rate, 'share', 'error_rate')})",
    ]
    if each.server_errors:
        parts.append(f"5xx {take(each.server_errors, 'count', 'server_errors')}")
    names = ("mean", "p50", "p95") if span is None else ("p95",)
    parts += [f"{name} {take(value, 'ms', name)}" for name in names if (value := getattr(each.latency, name))]
    return ", ".join(parts)


def _load(ledger: Ledger, about: str, each: Endpoint, span: Range | None = None) -> str:
    take = partial(ledger.figure, span=span, about=about, when="before" if span else "now")
    latency = f", p95 {take(each.latency.p95, 'ms', 'p95')}" if each.latency.p95 else ""
    return f"requests {take(each.count, 'count', 'requests')}{latency}"


def _change(ledger: Ledger, value: float) -> str:
    return ledger.figure(value, "change", "requests")
