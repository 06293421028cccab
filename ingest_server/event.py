"""Turn one record into one row of the log, or say why it cannot be one. Pure."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ingest_server.fields import ABSENT, ALIASES, ID_FIELDS, RAW_LINE_FIELDS, pick
from ingest_server.lines import parse_line
from ingest_server.route import route_of
from ingest_server.times import parse_time
from sql.writing import LogRow

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(days=1)
MOST_PATH = 8192
MOST_TEXT = 4096
MOST_LATENCY_MS = 1e12
DEEPEST = 64  # the embedded engine dies of JSON some 900 levels deep
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# A NUL in JSON text: its escape, not the same six characters after an escaped backslash.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
# What the shipper adds about itself; `date` is the time at which Fluent Bit read the line.
_SHIPPED = frozenset({*ID_FIELDS, "date"})


class Refused(ValueError):
    """A record that cannot become a row; the text is one sentence that says why."""


def to_row(record: Mapping[str, Any], *, service: str, now: datetime) -> LogRow:
    """Return the row of a record.

    Args:
        record: fields under any of the names in `fields.ALIASES`, or a raw line in `log`.
        service: for a record that names none.
        now: the moment of arrival; a record from the future is refused.

    Raises:
        Refused: time, method, path or status is missing or wrong.
    """
    record = _with_raw_line(record)
    used: set[str] = set()
    ts = _timestamp(record, used, now)
    method = _method(_required(record, "method", used))
    path, query = _path(_required(record, "path", used))
    status = _status(_required(record, "status", used))
    attributes = {} if query is None else {"query": query}
    row = LogRow(
        ts=ts,
        service=_text(_optional(record, "service", used)) or service,
        method=method,
        path=path,
        route=route_of(path),
        status=status,
        latency_ms=_number(record, "latency_ms", used, MOST_LATENCY_MS),
        bytes=_whole(_number(record, "bytes", used, 2**62)),
        client_ip=_client_ip(record, used),
        user_agent=_text(_optional(record, "user_agent", used)),
        referer=_text(_optional(record, "referer", used)),
        attributes=None,
    )
    attributes |= {str(k): v for k, v in record.items() if k not in used and k not in _SHIPPED}
    return row._replace(attributes=_json(attributes) if attributes else None)


def record_id(record: Mapping[str, Any]) -> str | None:
    """The unique id that the shipper gave a record, if it gave one."""
    for name in ID_FIELDS:
        value = record.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _with_raw_line(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parse the line of a record that carries one instead of fields; the line's fields win."""
    if pick(record, "method") or pick(record, "path"):
        return record
    for name in RAW_LINE_FIELDS:
        line = record.get(name)
        if isinstance(line, str) and (parsed := _parsed_line(line)) is not None:
            return {k: v for k, v in record.items() if k != name} | dict(parsed)
    return record


def _parsed_line(line: str) -> Mapping[str, Any] | None:
    if line.lstrip().startswith("{"):
        try:
            parsed = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None
    return parse_line(line)


def _optional(record: Mapping[str, Any], column: str, used: set[str]) -> Any:
    found = pick(record, column)
    if found is None:
        used.update(name for name in ALIASES[column] if record.get(name) in ("", "-", None))
        return None
    used.add(found[0])
    return found[1]


def _required(record: Mapping[str, Any], column: str, used: set[str]) -> Any:
    value = _optional(record, column, used)
    if value is None:
        raise Refused(f"{column} is missing")
    return value


def _timestamp(record: Mapping[str, Any], used: set[str], now: datetime) -> datetime:
    """The first field that is a time: a shipper's `date` stands in for an unreadable `time`."""
    problem = "timestamp is missing"
    for name in ALIASES["timestamp"]:
        if record.get(name) in (None, *ABSENT):
            continue
        try:
            moment = parse_time(record[name])
        except ValueError as error:
            problem = str(error)
            continue
        if moment < OLDEST:
            raise Refused(f"timestamp is before {OLDEST.year}: {moment.isoformat()}")
        if moment > now + MOST_AHEAD:
            raise Refused(f"timestamp is more than a day in the future: {moment.isoformat()}")
        used.add(name)
        return moment
    raise Refused(problem)


def _method(value: Any) -> str:
    if not isinstance(value, str) or not _METHOD.fullmatch(value.strip()):
        raise Refused(f"method is no HTTP method: {_shown(value)}")
    return value.strip().upper()


def _path(value: Any) -> tuple[str, str | None]:
    """Split a request target into its path and its query string."""
    if not isinstance(value, str):
        raise Refused(f"path is no text: {_shown(value)}")
    target = clean(value.strip())
    if _ABSOLUTE.match(target):  # as a proxy logs it
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, mark, query = target.partition("?")
    if not path:
        path = "/"
    if len(path) > MOST_PATH:
        raise Refused(f"path is longer than {MOST_PATH} characters")
    return path, query[:MOST_PATH] if mark else None


def _status(value: Any) -> int:
    try:
        status = int(value) if not isinstance(value, float) or value.is_integer() else -1
    except (TypeError, ValueError, OverflowError):
        status = -1
    if isinstance(value, bool) or not 100 <= status <= 999:
        raise Refused(f"status is no HTTP status: {_shown(value)}")
    return status


def _number(record: Mapping[str, Any], column: str, used: set[str], most: float) -> float | None:
    """A number in the column's unit. An unusable one is absent, and stays in the attributes as it came."""
    found = pick(record, column)
    if found is None:
        _optional(record, column, used)
        return None
    name, value, factor = found
    try:
        number = float(value) * factor
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(number) or not 0 <= number < most:
        return None
    used.add(name)
    return number


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _client_ip(record: Mapping[str, Any], used: set[str]) -> str | None:
    """The first address among the fields that may hold one; `host` may as well be a virtual host."""
    for name in ALIASES["client_ip"]:
        value = record.get(name)
        if not isinstance(value, str):
            continue
        try:
            address = ipaddress.ip_address(value.strip())
        except ValueError:
            continue
        used.add(name)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped  # how a dual-stack server writes an IPv4 client
        return str(address).partition("%")[0]
    return None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return clean(value if isinstance(value, str) else str(value)).strip()[:MOST_TEXT] or None


def clean(text: str) -> str:
    """Return text that PostgreSQL can hold: it refuses NUL, UTF-8 refuses lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _json(value: dict[str, Any]) -> str:
    if not _shallow(value, DEEPEST):
        raise Refused(f"a field is nested deeper than {DEEPEST} levels")
    try:
        return clean(_ESCAPED_NUL.sub(r"\1\\ufffd", msgspec.json.encode(value).decode("utf-8")))
    except (TypeError, ValueError, UnicodeError, RecursionError):
        raise Refused("a field holds something that is no JSON value") from None


def _shallow(value: Any, levels: int) -> bool:
    if levels < 0:
        return False
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return True
    return all(_shallow(each, levels - 1) for each in value)


def _shown(value: Any) -> str:
    return repr(value)[:60]
