"""Takes down the figures and names of an evidence pack while its lines are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashapp import format as fmt
from dashapp.ai.evidence import ALL, Endpoint, Figure, Name, Noted, Pack, Unit, When
from dashapp.ai.fence import is_plain
from dashapp.insight.evidence import query_of
from dashapp.insight.finding import Subject
from dashapp.view import address, moment_text
from sql.plan import Range

CITED = re.compile(r"\[(e\d+)\]")
# Fields whose values are never sent, and what stands for them.
_PERSONAL = {"client_ip": "client", "network": "network"}
_PAGES = {"endpoint": "/endpoints", "findings": "/patterns", "clients": "/", "logs": "/logs"}


@dataclass(slots=True)
class Ledger:
    """Figures and names by their ids; `parameters` are the filters that all of it is under."""

    whole: Range
    zone: ZoneInfo
    parameters: Mapping[str, str]
    send_addresses: bool = False
    first: int = 1
    figures: dict[str, Figure] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    names: dict[str, Name] = field(default_factory=dict)
    pseudonyms: dict[str, Name] = field(default_factory=dict)
    statuses: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _shown: dict[tuple[str, str], str] = field(default_factory=dict)

    def figure(
        self,
        value: float,
        unit: Unit,
        measure: str,
        *,
        span: Range | None = None,
        about: str = ALL,
        when: When = "now",
        path: str = "summary",
        of: Mapping[str, str] | None = None,
        of_text: str = "",
        page: str = "/",
        page_of: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """Take down a number; returns it as the model reads it, with its id: 265[e1].

        Args:
            value: in `unit`.
            unit: of the value.
            measure: what it counts.
            span: the time that it is of, the whole window without one.
            about: the endpoint as it is shown, ALL for all.
            when: in the window, or before it.
            path: of the read API under /api/stats.
            of: parameters of the API and the page that restrict it further.
            of_text: the same as the model reads it.
            page: where a reader can see it.
            page_of: parameters of the page alone.
            more: parameters of the API alone.
        """
        span = span or self.whole
        endpoint = self.endpoints.get(about)
        narrowed = dict(self.parameters) | (dict(of) if of else {})
        if endpoint is not None:
            narrowed |= {"method": endpoint.method, "route": endpoint.route}
        text = figure_text(value, unit, self.zone)
        key = f"e{self.first + len(self.figures)}"
        query = query_of(path, Subject(), span.start, span.end, **narrowed, **(more or {}))
        moments = {"start": moment_text(span.start, self.zone), "end": moment_text(span.end, self.zone)}
        where = page if endpoint is None or page != "/" else _PAGES["endpoint"]
        link = address(where, narrowed | (dict(page_of) if page_of else {}) | moments)
        self.figures[key] = Figure(key, value, unit, measure, about, when, query, link, of_text)
        return f"{text}[{key}]"

    def moment(self, at: datetime) -> str:
        """Take down a time of day: 14:32[e3]."""
        width = timedelta(minutes=1)
        return self.figure(at.timestamp(), "time", "time", span=Range(at, at + width))

    def endpoint(self, method: str, route: str) -> str:
        """The text that stands for an endpoint."""
        known = self._shown.get((f"endpoint {method}", route))
        if known is not None:
            return known
        shown = f"{method} {route}"
        if not (is_plain(route) and route.startswith("/") and is_plain(method)):
            shown = self._number("endpoint")
        self._shown[f"endpoint {method}", route] = shown
        self.endpoints[shown] = Endpoint(method, route)
        return shown

    def name(self, named: str, value: str | int) -> str:
        """The text that stands for a value of a field; personal or odd ones get a number."""
        text = str(value)
        known = self._shown.get((named, text))
        if known is not None:
            return known
        kind = None if self.send_addresses else _PERSONAL.get(named)
        shown = text
        if kind is not None or not (is_plain(text) or (named in _PERSONAL and self.send_addresses)):
            shown = self._number(kind or "text")
            self.pseudonyms[shown] = Name(named, text)
        self._shown[named, text] = shown
        self.names[shown] = Name(named, text)
        return shown

    def pack(
        self, lines: Sequence[str], *, before: Range | None = None, findings: Sequence[Noted] = (), total: int = 0
    ) -> Pack:  # fmt: skip
        """What the lines cite, of all that was taken down."""
        cited = {key for line in lines for key in CITED.findall(line)}
        return Pack(
            start=self.whole.start,
            end=self.whole.end,
            before_start=before.start if before else None,
            before_end=before.end if before else None,
            zone=str(self.zone),
            lines=tuple(lines),
            figures={key: figure for key, figure in self.figures.items() if key in cited},
            endpoints=self.endpoints,
            names=self.names,
            pseudonyms=self.pseudonyms,
            statuses=self.statuses,
            findings=tuple(findings),
            total=total,
        )

    def _number(self, kind: str) -> str:
        taken = {*self.endpoints, *self.names}
        number = 1
        while f"{kind}-{number}" in taken:
            number += 1
        return f"{kind}-{number}"


def figure_text(value: float, unit: Unit, zone: ZoneInfo) -> str:
    """A figure as the model and the reader see it."""
    if unit == "time":
        return fmt.clock(datetime.fromtimestamp(value, tz=zone), zone)
    if unit == "share":
        return fmt.rate(value)
    if unit == "ms":
        return fmt.duration(value)
    if unit == "change":
        return f"{value * 100:+.1f}%"
    if unit == "points":
        return f"{value * 100:+.2f}%p"
    if unit == "times":
        return f"{value:.1f} times"
    if unit == "minutes":
        return f"{value:g} min"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
