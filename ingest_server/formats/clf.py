"""The common log format, which a family of formats begins with, and what servers write after it. Pure."""

from __future__ import annotations

import re

from ingest_server.addresses import client_address
from ingest_server.fields import milliseconds
from ingest_server.formats.record import FIELD, QUOTED, Record, is_time, present, split_request, unescaped

# Client, ident, user, time, request, status, bytes: seven groups.
HEAD = rf"(\S++) (\S++) ([^\[\]]+) \[([^\[\]]++)\] {QUOTED} (\d{{3}}|-) (\d++|-)"
_LINE = re.compile(rf"{HEAD}(?:\s(.*))?", re.DOTALL)
_PORT = re.compile(r"[^:]+:\d{1,5}")
_NAMED = re.compile(r'(?<![A-Za-z_])([A-Za-z_]++)=(?:"([^"]*+)"|(\S++))')
_DECIMAL = re.compile(r"\d+\.\d+", re.ASCII)
_INTEGER = re.compile(r"\d+", re.ASCII)
_WITH_UNIT = re.compile(r"\d+(?:\.\d+)?(?:ms|us|µs|μs|ns|s)", re.ASCII)
_SECONDS_NAMES = frozenset({"rt", "request_time", "rtime"})
_UPSTREAM_NAMES = frozenset({"urt", "upstream_response_time"})
_SECOND, _MICROSECOND = 1e3, 1e-3


def read_head(line: str) -> tuple[Record, str] | None:
    """Return the record of a line's common part and the text that follows it; None where it has none.

    A line with a virtual host in front is none: its second field, not its first, is the client.
    """
    match = _LINE.fullmatch(line)
    if match is None or has_virtual_host(match[1], match[2], match[3]):
        return None
    record = head_record(match.groups()[:7])
    return None if record is None else (record, (match[8] or "").strip())


def head_record(groups: tuple[str, ...]) -> Record | None:
    """Return the record of the seven groups of HEAD; None where the time or the request is none."""
    client, ident, user, time, request, status, size = groups
    parts = split_request(unescaped(request))
    if parts is None or not is_time(time):
        return None
    method, path, protocol = parts
    record: Record = {
        "timestamp": time,
        "client_ip": client,
        "method": method,
        "path": path,
        "status": status,
    }
    return record | present(bytes=size, ident=ident, user=user, protocol=protocol)


def has_virtual_host(first: str, second: str, rest: str) -> bool:
    """Tell whether a line begins with `host:port client ident user` or `host client ident user`."""
    return " " in rest and (client_address(second) is not None or (second != "-" and bool(_PORT.fullmatch(first))))


def add_agent(record: Record, tail: str) -> None:
    """Put the referrer, the user agent and what follows them into a record."""
    fields = FIELD.findall(tail)
    texts = (unescaped(quoted or bare) for quoted, bare in fields)
    record |= present(**dict(zip(("referer", "user_agent"), texts, strict=False)))
    if len(fields) > 2:
        matches = FIELD.finditer(tail)
        next(matches)
        add_extras(record, tail[next(matches).end() :])


def add_extras(record: Record, tail: str) -> None:
    """Read what a server adds to the common or combined format: a response time, forwarders; the rest as `rest`.

    A response time by name (`rt=`, `request_time=`) is in seconds. Of the bare numbers the first with a decimal
    point is seconds, as nginx's $request_time; without such a one the first integer is microseconds, as Apache's %D.
    """
    if _DECIMAL.fullmatch(tail):
        record["latency_ms"] = float(tail) * _SECOND
        return
    named = {match[1]: match for match in _NAMED.finditer(tail)} if "=" in tail else {}
    for name, match in named.items():
        value = match[2] if match[2] is not None else match[3]
        if name in _SECONDS_NAMES and (latency := milliseconds(value, _SECOND)) is not None:
            record["latency_ms"] = latency
        elif name in _UPSTREAM_NAMES:
            record |= present(upstream_response_time=value)
        else:
            continue
        tail = tail.replace(match[0], " ", 1)
    fields = [(match[1], match[2]) for match in FIELD.finditer(tail)]
    at = _place_of_time([bare for _, bare in fields]) if "latency_ms" not in record else None
    if at is not None:
        bare = fields.pop(at)[1]
        record["latency_ms"] = milliseconds(bare, _MICROSECOND if _INTEGER.fullmatch(bare) else _SECOND)
    for at, (quoted, _) in enumerate(fields):
        if quoted and client_address(quoted) is not None:
            record["x_forwarded_for"] = fields.pop(at)[0]
            break
    rest = " ".join(bare or unescaped(quoted or "") for quoted, bare in fields).strip()
    if rest:
        record["rest"] = rest


def _place_of_time(fields: list[str | None]) -> int | None:
    """Where among the bare fields the response time is."""
    for pattern in (_WITH_UNIT, _DECIMAL, _INTEGER):
        for at, field in enumerate(fields):
            if field and pattern.fullmatch(field):
                return at
    return None
