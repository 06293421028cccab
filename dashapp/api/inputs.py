"""The parameters of the paths: what the document says of them, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashapp.api_params import BadParameter, choice, filters_of, text_of, whole_number
from dashapp.stats.collection import last_day
from dashapp.stats.endpoint_common import AMONG
from dashapp.time_range import QUICK_RANGES, bucket_minutes, range_of
from dashapp.words import LANGUAGES
from sql.plan import Range

Given = Mapping[str, str]
_MOST_INTERVAL = 31 * 1440
_NEWEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer depends on beside its parameters."""

    zone: ZoneInfo
    language: str
    now: datetime
    complete: datetime


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an address, as the document describes it."""

    name: str
    text: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One argument of the function behind a path, and the parameters that it is read from."""

    name: str
    parameters: tuple[Parameter, ...]
    read: Callable[[Given, Context], Any]


_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_LATENCY = {"type": "number", "minimum": 0}
_RANGE = (
    Parameter("start", "First moment, ISO 8601 with an offset; goes together with `end`.", _MOMENT),
    Parameter("end", "First moment that is no longer part of the range.", _MOMENT),
    Parameter(
        "last",
        "A range that ends where the data is complete, instead of `start` and `end`.",
        {"type": "string", "enum": list(QUICK_RANGES), "default": "1h"},
    ),
)
_METHOD = Parameter("method", "Method, in any case.", _TEXT)
_ROUTE = Parameter("route", "Route, for example `/api/user/{id}`.", _TEXT)
_OTHER_FILTERS = (
    Parameter("service", "Service.", _TEXT),
    Parameter(
        "status",
        "A status code such as `404`, or a class such as `5xx`.",
        {"type": "string", "pattern": "^([1-9][0-9][0-9]|[1-5][xX][xX])$"},
    ),
    Parameter("client_ip", "Address of the client, or its network such as `10.24.1.0/24`.", _TEXT),
    Parameter("text", "A part of the path, in any case. Reads every row of the range.", _TEXT),
    Parameter("regex", "A regular expression (PostgreSQL) on the path. Reads every row of the range.", _TEXT),
    Parameter("agent", "A part of the user agent, in any case. Reads every row of the range.", _TEXT),
    Parameter(
        "attribute",
        "An attribute and its value, such as `version:1.4`. Reads every row of the range.",
        {"type": "string", "pattern": "^[^:]+:"},
    ),
    Parameter("latency_min", "Least latency in ms. Reads every row of the range.", _LATENCY),
    Parameter("latency_max", "First latency in ms that is too high. Reads every row of the range.", _LATENCY),
)


def _range(given: Given, context: Context) -> Range:
    return range_of(given, context.complete)


def _arrival_range(given: Given, context: Context) -> Range:
    named = any(given.get(name) for name in ("start", "end", "last"))
    return range_of(given, context.now) if named else last_day(context.now)


def _interval(given: Given, context: Context) -> int:
    by_endpoint = any(given.get(name) for name in ("method", "route"))
    minutes = bucket_minutes(_range(given, context), by_endpoint=by_endpoint)
    return whole_number(given, "interval", minutes, most=_MOST_INTERVAL)


def _language(given: Given, context: Context) -> str:
    return choice(given, "lang", (context.language, *(each for each in LANGUAGES if each != context.language)))


def _endpoint(given: Given, _context: Context) -> tuple[str, str]:
    method, route = text_of(given, "method"), text_of(given, "route")
    if method is None or route is None:
        raise BadParameter("method and route must both be given: they name the endpoint")
    return method.upper(), route


WHOLE = Input("whole", _RANGE, _range)
ARRIVAL_WHOLE = Input(
    "whole",
    (*_RANGE[:2], Parameter("last", "The range until now; without any the last 24 hours.", _RANGE[2].schema)),
    _arrival_range,
)
FILTERS = Input("filters", (_METHOD, _ROUTE, *_OTHER_FILTERS), lambda given, _: filters_of(given))
OTHER_FILTERS = Input("filters", _OTHER_FILTERS, lambda given, _: filters_of(given))
ENDPOINT = Input(
    "endpoint",
    tuple(Parameter(each.name, each.text, each.schema, required=True) for each in (_METHOD, _ROUTE)),
    _endpoint,
)
INTERVAL = Input(
    "minutes",
    (
        Parameter(
            "interval",
            "Minutes of a bucket, counted from midnight; without it about 300 buckets or fewer.",
            {"type": "integer", "minimum": 1, "maximum": _MOST_INTERVAL},
        ),
    ),
    _interval,
)
BY = Input(
    "by",
    (
        Parameter(
            "by",
            "Group by route, or by the path as it came, which reads every row of the range.",
            {"type": "string", "enum": ["route", "path"], "default": "route"},
        ),
    ),
    lambda given, _: choice(given, "by", ("route", "path")),
)
AMONG_REQUESTS = Input(
    "among",
    (
        Parameter(
            "among",
            "Which requests are compared with the others: the slowest hundredth, or those that failed.",
            {"type": "string", "enum": list(AMONG), "default": AMONG[0]},
        ),
    ),
    lambda given, _: choice(given, "among", AMONG),
)
LANGUAGE = Input(
    "language",
    (Parameter("lang", "Language of the sentences.", {"type": "string", "enum": list(LANGUAGES)}),),
    _language,
)
RAW = Input(
    "raw",
    (
        Parameter(
            "raw",
            "`1` adds each record as it came, in base64.",
            {"type": "string", "enum": ["0", "1"], "default": "0"},
        ),
    ),
    lambda given, _: choice(given, "raw", ("0", "1")) == "1",
)
BEFORE = Input(
    "before",
    (Parameter("before", "`next_before` of the page before.", {"type": "integer", "minimum": 1}),),
    lambda given, _: whole_number(given, "before", _NEWEST_ID, most=_NEWEST_ID),
)


def number(name: str, text: str, default: int, most: int) -> Input:
    """A number from 1 on."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Input(name, (Parameter(name, text, schema),), lambda given, _: whole_number(given, name, default, most=most))


def text(name: str, meaning: str) -> Input:
    """A text to compare with, or to look for."""
    return Input(name, (Parameter(name, meaning, _TEXT),), lambda given, _: text_of(given, name))
