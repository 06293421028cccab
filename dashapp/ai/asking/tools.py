"""The tools that a model may call: typed, read-only, bounded questions to the query layer; no SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dashapp.ai.asking.charts import Chart
from dashapp.ai.asking.tool_lines import (
    Narrowed,
    changes_lines,
    clients_lines,
    compare_lines,
    endpoints_lines,
    findings_lines,
    samples_lines,
    slowest_requests_lines,
    statuses_lines,
    traffic_lines,
)
from dashapp.ai.evidence import Noted
from dashapp.ai.ledger import Ledger
from dashapp.api_params import BadParameter, status_range
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import Range
from sql.search import search

MOST_LINES = 40


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = Field(description="An endpoint exactly as a tool wrote it, or null for all.")
    service: str | None = Field(description="A service, or null for all.")
    status: str | None = Field(description="A status such as 404, a class such as 5xx, or null for all.")


class Plain(_Arguments):
    """Filters alone."""


class Endpoints(_Arguments):
    """A table of endpoints."""

    sort: Literal["requests", "errors", "server_errors", "error_rate", "p95", "mean"] = Field(
        description="Largest first."
    )
    limit: int = Field(ge=1, le=10)


class Limited(_Arguments):
    """A list."""

    limit: int = Field(ge=1, le=10)


class Compared(_Arguments):
    """A comparison."""

    against: Literal["prev", "day", "week"] = Field(
        description="prev: the time just before; day, week: the same time a day or a week earlier."
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What a tool found: lines for the model, and a chart for the reader where there is one."""

    lines: list[str]
    chart: Chart | None = None


Make = Callable[[Narrowed, Any], Found]


@dataclass(frozen=True, slots=True)
class Tool:
    """A name, what it is for, its arguments, and the function behind it."""

    name: str
    text: str
    arguments: type[_Arguments]
    make: Make


TOOLS: tuple[Tool, ...] = (
    Tool(
        "traffic",
        "Totals of the period and its course in at most 24 steps.",
        Plain,
        lambda n, _: Found(*traffic_lines(n)),
    ),
    Tool(
        "endpoints",
        "Endpoints with requests, errors and latency; sorted by errors it answers which one fails most.",
        Endpoints,
        lambda n, a: Found(*endpoints_lines(n, a.sort, a.limit)),
    ),
    Tool("statuses", "Status codes and how often each occurs.", Plain, lambda n, _: Found(*statuses_lines(n))),
    Tool(
        "slowest",
        "The slowest requests and what they have in common.",
        Limited,
        lambda n, _: Found(slowest_requests_lines(n)),
    ),
    Tool("clients", "Who calls most.", Limited, lambda n, a: Found(*clients_lines(n, a.limit))),
    Tool("compare", "Totals against another time.", Compared, lambda n, a: Found(compare_lines(n, a.against))),
    Tool(
        "what_changed",
        "Which values of which fields explain the difference to another time.",
        Compared,
        lambda n, a: Found(changes_lines(n, a.against)),
    ),
    Tool(
        "findings", "What deviates: bursts, drops, attacks, slow drifts.", Plain, lambda n, _: Found(findings_lines(n))
    ),
    Tool(
        "log_samples",
        "Single requests of the log, the newest first.",
        Limited,
        lambda n, _: Found(samples_lines(n, n.rows)),
    ),
)
BY_NAME: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}


def schemas() -> list[dict[str, Any]]:
    """The tools as a model is told of them."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.text,
                "strict": True,
                "parameters": _schema(tool.arguments),
            },
        }
        for tool in TOOLS
    ]


class BadCall(ValueError):
    """A call that cannot be meant; the text tells the model why."""


@dataclass
class Workbench:
    """What the tools of one question share: the ledger that numbers their figures, the period, the filters."""

    ledger: Ledger
    filters: Filters
    parameters: Mapping[str, str]
    whole: Range
    complete: datetime
    noted: list[Noted]

    def call(self, engine: sa.Engine, name: str, arguments: str) -> tuple[Found, dict[str, Any]]:
        """Call a tool; returns what it found and the arguments as they were understood.

        Raises:
            BadCall: there is no such tool, or it takes no such arguments.
        DatabaseUnavailable: the database is away, or reading takes too long.
        """
        tool = BY_NAME.get(name)
        if tool is None:
            raise BadCall(f"there is no tool {name[:40]!r}")
        try:
            given = tool.arguments.model_validate_json(arguments or "{}")
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            raise BadCall(
                "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems[:3])
            ) from None
        filters, about, of = self._narrowed(given)
        # A search of the log takes snapshots of its own.
        rows = (
            search(engine, self.whole, filters, limit=getattr(given, "limit", 5)).rows if name == "log_samples" else []
        )
        with snapshot(engine) as reading:
            asked = Narrowed(reading, self.ledger, self.whole, filters, about, of, self.complete, self.noted, rows)
            found = tool.make(asked, given)
        return Found(found.lines[:MOST_LINES], found.chart), given.model_dump(exclude_none=True)

    def _narrowed(self, given: _Arguments) -> tuple[Filters, str, dict[str, str]]:
        filters, parameters, about = self.filters, dict(self.parameters), ""
        if given.endpoint:
            endpoint = self.ledger.endpoints.get(given.endpoint)
            if endpoint is None:
                raise BadCall("endpoint: only one that a tool wrote; call endpoints first")
            about = given.endpoint
            filters = replace(filters, method=endpoint.method, route=endpoint.route)
        if given.service:
            filters = replace(filters, service=given.service)
            parameters["service"] = given.service
        if given.status:
            try:
                filters = replace(filters, status=status_range(given.status))
            except BadParameter as error:
                raise BadCall(str(error)) from None
            parameters["status"] = given.status
        return filters, about, {key: value for key, value in parameters.items() if self.parameters.get(key) != value}


def _schema(model: type[_Arguments]) -> dict[str, Any]:
    made = model.model_json_schema()
    properties = {
        name: {key: value for key, value in each.items() if key not in ("title", "minimum", "maximum")}
        for name, each in made["properties"].items()
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
