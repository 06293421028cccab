"""Turn records into rows of the log. Pure, but for what it remembers.

The records of one log have the same fields, so where each column comes from is worked out once for every set of
names (a shape). A record whose values are what its shape promises becomes a row in a few steps; any other is
read again with care, field by field. Both ways give the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest_server import event
from ingest_server.addresses import client_address
from ingest_server.event import Refused
from ingest_server.fields import ABSENT, ALIASES, ID_FIELDS, RAW_LINE_FIELDS, pick
from ingest_server.formats import Dialect, dialect_of, parse_line
from ingest_server.framing import line_value
from ingest_server.identity import KeyFields, key_fields, record_key
from ingest_server.times import to_micros
from sql.batch import LogRow

# What the shipper adds about itself; `date` is the time at which Fluent Bit read the line.
_SHIPPED = frozenset({*ID_FIELDS, "date"})
_COLUMNS = (
    "timestamp", "service", "method", "path", "status", "latency_ms", "bytes", "client_ip", "user_agent", "referer"
)  # fmt: skip
# Long texts are seldom seen twice.
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 50_000, 256
_MOST_SHAPES = 2_000
_LINES_DEEP = 2


class _Remembered(dict[Any, Any]):
    """Values of a function by its argument; forgets everything when full. What raises is not remembered."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, argument: Any) -> Any:
        value = self._function(argument)
        if type(argument) is not str or len(argument) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[argument] = value
        return value


# A NamedTuple's own constructor takes twice as long.
_new_row = tuple.__new__


@dataclass(frozen=True, slots=True)
class Shape:
    """Which field of a set of names holds which column: the first of its names that is there."""

    columns: tuple[Any, ...]  # names or None, in the order of _COLUMNS
    latency_factor: float
    rest: tuple[str, ...]  # no column's first choice: attributes
    dialect: Dialect | None
    raw_line: bool  # no method and no path, but a line that may hold them
    key_fields: KeyFields | None  # those that may make it unique


def shape_of(names: tuple[str, ...]) -> Shape:
    """Work out the shape of records with these field names."""
    there = frozenset(names)
    first = {column: next((name for name in aliases if name in there), None) for column, aliases in ALIASES.items()}
    found = {column: name for column, name in first.items() if name is not None}
    return Shape(
        columns=tuple(first[column] for column in _COLUMNS),
        latency_factor=ALIASES["latency_ms"].get(found.get("latency_ms", ""), 1),
        rest=tuple(name for name in names if name not in found.values() and name not in _SHIPPED),
        dialect=dialect_of(there),
        raw_line=not ("method" in found and "path" in found) and not there.isdisjoint(RAW_LINE_FIELDS),
        key_fields=key_fields(there),
    )


class Reader:
    """Reads records; one per thread, because it remembers."""

    def __init__(self, route_of: Callable[[str, str], str]) -> None:
        """`route_of` gives the route of a service and a path."""
        self._route_of = route_of
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._methods = _Remembered(event.method)
        self._statuses = _Remembered(event.status)
        self._texts = _Remembered(_plain_text)
        self._addresses = _Remembered(_plain_address)

    def row(
        self, record: dict[str, Any], *, service: str, source: str, now_us: int, oldest_us: int = event.OLDEST_US
    ) -> LogRow:
        """Return the row of a record.

        Args:
            record: fields under any of the names in `fields.ALIASES`, of a dialect, or a raw line in `log`.
            service: for a record that names none.
            source: who sent it.
            now_us: the moment of arrival in microseconds since 1970; a record from the future is refused.
            oldest_us: the moment from which on rows are kept; an older record is refused.

        Raises:
            Refused: time, method, path or status is missing or wrong.
        """
        shape = self._shape(record)
        for _ in range(_LINES_DEEP):  # Loki's clients wrap what was a line in a field already
            if shape.raw_line:
                record, shape = self._with_raw_line(record, shape)
        original, keys = record, shape.key_fields
        if shape.dialect is not None:
            record = shape.dialect.reshape(record)
            shape = self._shape(record)
        try:
            row = self._by_shape(record, shape, service, now_us, oldest_us)
        except (LookupError, TypeError, ValueError, ArithmeticError):
            row = self._with_care(record, service, now_us, oldest_us)
        if keys is not None and (key := record_key(original, keys, row, source)) is not None:
            return _new_row(LogRow, (*row[:-1], key))
        return row

    def _shape(self, record: Mapping[str, Any]) -> Shape:
        names = tuple(record)
        shape = self._shapes.get(names)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[names] = shape_of(names)
        return shape

    def _with_raw_line(self, record: dict[str, Any], shape: Shape) -> tuple[dict[str, Any], Shape]:
        """Parse the line of a record that carries one instead of fields; the line's fields win."""
        for name in RAW_LINE_FIELDS:
            line = record.get(name)
            if not isinstance(line, str):
                continue
            parsed = _parsed(line)
            if parsed is not None:
                whole = {k: v for k, v in record.items() if k != name} | parsed
                return whole, self._shape(whole)
        return record, shape

    def _by_shape(
        self, record: Mapping[str, Any], shape: Shape, service: str, now_us: int, oldest_us: int = event.OLDEST_US
    ) -> LogRow:
        """The row, if every value is plain; raises whatever comes if one is not."""
        of_time, of_service, of_method, of_path, of_status, of_latency, of_bytes, of_client, of_agent, of_referer = (
            shape.columns
        )
        ts = to_micros(record[of_time])
        if not oldest_us <= ts <= now_us:
            event.check_time(ts, now_us, oldest_us)
        path: str = record[of_path]
        if path[0] != "/" or not path.isascii() or len(path) > event.MOST_PATH or "\x00" in path or path[-1] <= " ":
            raise ValueError
        attributes = {name: record[name] for name in shape.rest} if shape.rest else None
        if "?" in path:
            path, _, query = path.partition("?")
            attributes = _with_query(attributes or {}, query)
        if of_service is not None:
            service = self._texts[record[of_service]][: event.MOST_NAME]
        return _new_row(
            LogRow,
            (
                ts,
                service,
                self._methods[record[of_method]],
                path,
                self._route_of(service, path),
                self._statuses[record[of_status]],
                None if of_latency is None else _plain_latency(record[of_latency], shape.latency_factor),
                None if of_bytes is None else _plain_size(record[of_bytes]),
                None if of_client is None else self._addresses[record[of_client]],
                None if of_agent is None else self._texts[record[of_agent]],
                None if of_referer is None else self._texts[record[of_referer]],
                event.json_text(attributes) if attributes else None,
                None,
            ),
        )

    def _with_care(
        self, record: Mapping[str, Any], service: str, now_us: int, oldest_us: int = event.OLDEST_US
    ) -> LogRow:
        """The row of any record, looking at every name that a column may have."""
        used: set[str] = set()
        ts = _moment(record, used, now_us, oldest_us)
        method = event.method(_required(record, "method", used))
        path, query = event.path_and_query(_required(record, "path", used))
        status = event.status(_required(record, "status", used))
        named = _optional(record, "service", used)
        service = ((None if named is None else event.text(named)) or service)[: event.MOST_NAME]
        found = {name: _optional(record, name, used) for name in ("user_agent", "referer")}
        agent, referer = (None if value is None else event.text(value) for value in found.values())
        latency = _read(record, "latency_ms", used, event.latency)
        size = _read(record, "bytes", used, lambda value, _: event.size(value))
        address = _address(record, used)
        attributes = {str(k): v for k, v in record.items() if k not in used and k not in _SHIPPED}
        if query is not None:
            attributes = _with_query(attributes, query)
        return LogRow(
            ts,
            service,
            method,
            path,
            self._route_of(service, path),
            status,
            latency,
            size,
            address,
            agent,
            referer,
            event.json_text(attributes) if attributes else None,
            None,
        )


def _plain_text(value: Any) -> str:
    if type(value) is str and value not in ABSENT and (text := event.text(value)) is not None:
        return text
    raise ValueError


def _plain_address(value: Any) -> str:
    if type(value) is str and (address := client_address(value)) is not None:
        return address
    raise ValueError


def _plain_latency(value: Any, factor: float) -> float:
    if type(value) is float or type(value) is int:
        number = value * factor
        if 0 <= number < event.MOST_LATENCY_MS:
            return float(number)
    elif type(value) is str and (read := event.latency(value, factor)) is not None:
        return read
    raise ValueError


def _plain_size(value: Any) -> int:
    if type(value) is str and value.isdecimal() and len(value) < 18:
        return int(value)
    if type(value) is int and 0 <= value < 2**62:
        return value
    raise ValueError


def _parsed(line: str) -> dict[str, Any] | None:
    if line.lstrip().startswith("{"):
        value = line_value(line.encode("utf-8", "replace"), "json")
        return value if isinstance(value, dict) else None
    record = parse_line(line)
    return None if record is None else dict(record)


def _with_query(attributes: dict[str, Any], query: str) -> dict[str, Any]:
    """The path's query string; a field of the record that has its name keeps its own."""
    name = "query" if "query" not in attributes else "path_query"
    return attributes if attributes.get("query") == query else {name: query[: event.MOST_PATH], **attributes}


def _moment(record: Mapping[str, Any], used: set[str], now_us: int, oldest_us: int) -> int:
    """The first field that is a time: a shipper's `date` stands in for an unreadable `time`."""
    problem = Refused("no_time", "timestamp is missing")
    for name in ALIASES["timestamp"]:
        value = record.get(name)
        if value is None or value in ABSENT:
            continue
        try:
            moment = to_micros(value)
        except ValueError as error:
            problem = Refused("bad_time", str(error))
            continue
        used.add(name)
        return event.check_time(moment, now_us, oldest_us)
    raise problem


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
        raise Refused(f"no_{column}", f"{column} is missing")
    return value


def _read(record: Mapping[str, Any], column: str, used: set[str], read: Callable[[Any, float], Any]) -> Any:
    """A number in the column's unit. An unusable one is absent, and stays in the attributes as it came."""
    found = pick(record, column)
    if found is None:
        _optional(record, column, used)
        return None
    name, value, factor = found
    number = read(value, factor)
    if number is not None:
        used.add(name)
    return number


def _address(record: Mapping[str, Any], used: set[str]) -> str | None:
    """The first address among the fields that may hold one; `host` may as well be a virtual host."""
    for name in ALIASES["client_ip"]:
        value = record.get(name)
        if isinstance(value, str) and (address := client_address(value)) is not None:
            used.add(name)
            return address
    return None
