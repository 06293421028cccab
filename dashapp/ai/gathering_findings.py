"""Findings as lines of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashapp.ai.evidence import ALL, Noted, Unit
from dashapp.ai.ledger import CITED, Ledger
from dashapp.insight import finding as insight
from dashapp.insight.evidence import query_of
from dashapp.insight.finding import Finding, Subject
from sql.plan import MINUTE, Range

_UNITS: dict[insight.Unit, Unit] = {"share": "share", "ms": "ms", "ratio": "times"}
_MEASURES = {"share": "error_rate", "ms": "latency", "requests": "requests"}
_NAMED = ("service", "status", "client_ip", "network", "client_type")


def finding_lines(ledger: Ledger, found: Sequence[Finding], noted: list[Noted]) -> list[str]:
    """A line for each finding; `noted` gets what the check of an answer has to know of it."""
    lines = []
    for each in found:
        line, endpoints = _line(ledger, each)
        noted.append(Noted(each.kind, each.severity, endpoints, tuple(CITED.findall(line)), each.n, each.p))
        lines.append(line)
    return lines


def _line(ledger: Ledger, each: Finding) -> tuple[str, tuple[str, ...]]:
    endpoints = [endpoint for side in (each.subject, each.related) if side and (endpoint := _endpoint(ledger, side))]
    about = endpoints[0] if endpoints else ALL
    span = Range(each.start, max(each.end or ledger.whole.end, each.start + MINUTE))
    measure = each.facts.get("measure") or _MEASURES.get(each.unit, each.unit)
    unit = _UNITS.get(each.unit, "number")

    def take(value: float, when: str, named: str = measure, unit: Unit = unit) -> str:
        text = ledger.figure(value, unit, named, span=span, about=about, when=when, page="/patterns")  # type: ignore[arg-type]
        _asked_as(ledger, CITED.findall(text)[0])
        return text

    observed, usual = take(each.observed, "now"), take(each.expected, "before")
    since = f"{each.start.astimezone(ledger.zone):%m-%d} {ledger.moment(each.start)}"
    until = "lasts" if each.end is None else f"to {each.end.astimezone(ledger.zone):%m-%d} {ledger.moment(each.end)}"
    details = [f"{name} {text}" for name in _NAMED if (text := _shown(ledger, each.subject, name))]
    where = " ".join(filter(None, (about and f"endpoint {about}", ", ".join(details)))) or "all requests"
    related = ""
    if len(endpoints) > 1:
        related = f", after calls of {endpoints[1]}"
    elif each.related is not None and (client := each.related.client_ip or each.related.network):
        related = f", related client {ledger.name('client_ip' if each.related.client_ip else 'network', client)}"
    facts = "".join(f", {name} {ledger.name(name, text)}" for name, text in each.facts.items() if name in ("agent",))
    effect = f", {take(each.effect, 'now', 'effect', 'times')} the usual" if each.effect and each.effect > 1 else ""
    basis = f", from {take(each.n, 'now', 'basis', 'count')} {'minutes' if each.unit == 'requests' else 'requests'}"
    line = (
        f"finding {each.severity} {each.kind}: {where}, since {since} {until}, {measure} {observed} "
        f"where {usual} is usual{effect}{basis}{related}{facts}, presumed cause: {each.cause}"
    )
    return line, tuple(endpoints)


def _endpoint(ledger: Ledger, side: Subject) -> str | None:
    return ledger.endpoint(side.method, side.route) if side.method and side.route else None


def _shown(ledger: Ledger, subject: Subject, name: str) -> str | None:
    value = getattr(subject, name)
    if value is None:
        return None
    return str(value) if name == "status" else ledger.name(name, value)


def _asked_as(ledger: Ledger, key: str) -> None:
    """The query of a finding's figure is that of the list in which it was found."""
    query = query_of("anomalies", Subject(), ledger.whole.start, ledger.whole.end, **ledger.parameters)
    ledger.figures[key] = replace(ledger.figures[key], query=query)
