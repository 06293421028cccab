"""What to count: typed filters, and the conditions they mean."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

_TEXTS = ("service", "method", "route")


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all must hold; None does not filter.

    `status` is an inclusive range of codes, (404, 404) or (500, 999). `client_ip` is an address, or a network with
    its number of bits. `path_text` is a part of the path in any case, `path_regex` a regular expression of PostgreSQL.
    `agent_text` is a part of the user agent in any case, `attribute` a name at the top of the attributes and its value.
    `latency_ms` is the least and the first one too high; a request without a latency lies in no such range.
    """

    service: str | None = None
    method: str | None = None
    route: str | None = None
    status: tuple[int, int] | None = None
    client_ip: str | None = None
    path_text: str | None = None
    path_regex: str | None = None
    latency_ms: tuple[float | None, float | None] | None = None
    agent_text: str | None = None
    attribute: tuple[str, str] | None = None

    def columns(self) -> set[str]:
        """Columns that the filters look at."""
        names = {name for name in (*_TEXTS, "status", "client_ip", "latency_ms") if getattr(self, name) is not None}
        if self.path_text is not None or self.path_regex is not None:
            names.add("path")
        if self.agent_text is not None:
            names.add("user_agent")
        return names | ({"attributes"} if self.attribute is not None else set())

    def __bool__(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.columns())


def conditions(source: sa.FromClause, filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Conditions on a table that has the columns that the filters look at."""
    found: list[sa.ColumnElement[bool]] = [
        source.c[name] == value for name in _TEXTS if (value := getattr(filters, name)) is not None
    ]
    if filters.status is not None:
        low, high = filters.status
        found.append(source.c.status == low if low == high else source.c.status.between(low, high))
    if filters.client_ip is not None:
        client = sa.cast(filters.client_ip, pg.INET)
        within = source.c.client_ip.op("<<=", is_comparison=True)
        found.append(within(client) if "/" in filters.client_ip else source.c.client_ip == client)
    if filters.path_text is not None:
        found.append(source.c.path.icontains(filters.path_text, autoescape=True))
    if filters.path_regex is not None:
        found.append(source.c.path.regexp_match(filters.path_regex))
    if filters.agent_text is not None:
        found.append(source.c.user_agent.icontains(filters.agent_text, autoescape=True))
    if filters.attribute is not None:
        name, text = filters.attribute
        found.append(source.c.attributes[name].astext == text)
    if filters.latency_ms is not None:
        least, limit = filters.latency_ms
        if least is not None:
            found.append(source.c.latency_ms >= least)
        if limit is not None:
            found.append(source.c.latency_ms < limit)
    return found
