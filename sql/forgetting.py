"""Take a client out of what is stored: his requests still count, and nothing says whose they were."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import psycopg

Connection = psycopg.Connection[Any]

_HOURS = "select distinct time_bucket(interval '1 hour', ts) from access_log where client_ip = %s::inet"
_ROWS = """
update access_log set client_ip = null, user_agent = null, referer = null, attributes = null where client_ip = %s::inet
"""
# Built anew from the rows; until then readers take the rows themselves.
_MARK = """
insert into stale_bucket (view, bucket)
select distinct view, time_bucket(width, hour) from aggregate_level, unnest(%s::timestamptz[]) as hours (hour)
where view like 'client%%'
on conflict (view, bucket) do update set mark = nextval('stale_mark')
"""
_FINDINGS = "delete from finding where client_ip = %s::inet"
_ANALYSES = """
delete from ai_analysis
where concat_ws(' ', pack::text, sent::text, reply::text, result::text, question, filters::text) ~ %s
"""
_HELD = "delete from quarantine where encode(record, 'escape') ~ %s"
_COUNT_ROWS = "select count(*) from access_log where client_ip = %s::inet"
_COUNT_FINDINGS = "select count(*) from finding where client_ip = %s::inet"


class Forgotten(NamedTuple):
    """How much there was of a client."""

    requests: int
    findings: int
    analyses: int
    quarantined: int


def count_client(connection: Connection, address: str) -> Forgotten:
    """What `forget_client` would take away."""
    pattern = pattern_of(address)
    return Forgotten(
        _one(connection, _COUNT_ROWS, address),
        _one(connection, _COUNT_FINDINGS, address),
        _one(connection, _ANALYSES.replace("delete", "select count(*)"), pattern),
        _one(connection, _HELD.replace("delete", "select count(*)"), pattern),
    )


def forget_client(connection: Connection, address: str) -> Forgotten:
    """Take address, program, referrer and attributes off a client's requests; drop what else names him.

    Findings about him, AI analyses and refused records that hold his address go as a whole.
    """
    pattern = pattern_of(address)
    with connection.transaction():
        hours = [row[0] for row in connection.execute(_HOURS, (address,)).fetchall()]
        rows = connection.execute(_ROWS, (address,)).rowcount
        connection.execute(_MARK, (hours,))
        findings = connection.execute(_FINDINGS, (address,)).rowcount
        analyses = connection.execute(_ANALYSES, (pattern,)).rowcount
        held = connection.execute(_HELD, (pattern,)).rowcount
    return Forgotten(rows, findings, analyses, held)


def pattern_of(address: str) -> str:
    """A pattern that finds the address in a text, with a port or a full stop behind it, and not a longer one."""
    literal = re.escape(address)
    if ":" in address:
        return rf"(^|[^0-9A-Fa-f:]){literal}($|[^0-9A-Fa-f:])"
    return rf"(^|[^0-9.]){literal}($|[^0-9.]|\.($|[^0-9]))"


def _one(connection: Connection, statement: str, value: str) -> int:
    row = connection.execute(statement.encode(), (value,)).fetchone()
    return int(row[0]) if row else 0
