"""Messages about incidents on their way: which are due, what became of each, and how they are taken down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from sql.connection import Reading
from sql.findings import KeptFinding
from sql.store import Store

_MOST_WAITING = 100


class Waiting(NamedTuple):
    """A message that is not sent yet; `incident` is None for a digest."""

    id: int
    incident: str | None
    what: str
    severity: str
    created_at: datetime
    state: str


class Delivery(NamedTuple):
    """A message on its way to a channel, and how often it was tried."""

    channel: str
    attempts: int


class Delivered(NamedTuple):
    """What became of a message at a channel, last."""

    channel: str
    state: str
    at: datetime
    attempts: int
    error: str | None


class Told(NamedTuple):
    """A message that was sent, or could not be."""

    what: str
    severity: str
    incident: str | None
    state: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waits:
    """Messages that are due or held back, and how many went out within the last hour."""

    waiting: list[Waiting]
    sent_last_hour: int


_WAITING = """
select id, incident, what, severity, created_at, state from alert
where state in ('due', 'held') and digest is null and due_at <= clock_timestamp()
order by state = 'held', id limit %s
"""
_SENT = """
select count(*) from alert
where state = 'sent' and what <> 'test' and digest is null and finished_at > clock_timestamp() - interval '1 hour'
"""
_HOLD = "update alert set state = 'held' where id = any(%s) and state = 'due'"
_DIGEST = """
with digest as (
    insert into alert (what, severity)
    select 'digest', case
        when bool_or(severity = 'high') then 'high' when bool_or(severity = 'medium') then 'medium' else 'low'
    end from alert where id = any(%(ids)s)
    returning id, incident, what, severity, created_at, state
), told as (
    update alert set digest = digest.id from digest where alert.id = any(%(ids)s)
)
select * from digest
"""
_FINISH_DIGESTED = "update alert set state = %s, finished_at = clock_timestamp() where digest = %s"
_IN_DIGEST = """
select id, incident, what, severity, created_at, state from alert where digest = %s order by id
"""
_PREPARE = """
insert into alert_delivery (alert_id, channel) select %(id)s, unnest(%(channels)s::text[]) on conflict do nothing
"""
# Whoever is no channel any more is not waited for.
_GIVE_UP = """
update alert_delivery set state = 'failed', finished_at = clock_timestamp(), error = 'not configured any more'
where alert_id = %(id)s and state = 'due' and channel <> all(%(channels)s)
"""
_DUE = """
update alert_delivery set attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => %(wait)s)
where alert_id = %(id)s and state = 'due' and next_at <= clock_timestamp()
returning channel, attempts
"""
_RESULT = """
update alert_delivery set error = %(error)s, next_at = clock_timestamp() + make_interval(secs => %(wait)s),
    state = %(state)s, finished_at = case when %(state)s <> 'due' then clock_timestamp() end
where alert_id = %(id)s and channel = %(channel)s
"""
_FINISH = """
update alert set finished_at = clock_timestamp(), state = case
    when exists (select from alert_delivery where alert_id = id and state = 'sent') then 'sent' else 'failed'
end
where id = %s and not exists (select from alert_delivery where alert_id = id and state = 'due')
returning state
"""
_DROP = "update alert set state = 'dropped', finished_at = clock_timestamp() where id = any(%s)"
_TEST = (
    "insert into alert (what, severity, state, finished_at) values ('test', 'low', %s, clock_timestamp()) returning id"
)
_TEST_RESULT = """
insert into alert_delivery (alert_id, channel, state, attempts, finished_at, error)
values (%s, %s, %s, 1, clock_timestamp(), %s)
"""
_FINDINGS = """
select key, start_at, end_at, payload, incident, late, opened_at, updated_at, closed_at from finding
where incident = any(%s) and withdrawn_at is null order by start_at, key limit 100
"""
_LAST = """
select distinct on (channel) channel, delivery.state, coalesce(delivery.finished_at, alert.created_at), attempts, error
from alert_delivery as delivery join alert on alert.id = alert_id
where delivery.attempts > 0
order by channel, alert_id desc
"""
_TOLD = """
select what, severity, incident, state, created_at, finished_at from alert where digest is null
order by id desc limit :most
"""
_WAIT_COUNT = "select count(*) filter (where state = 'due'), count(*) filter (where state = 'held') from alert"


class AlertStore(Store):
    """Reads and writes messages, on a connection of its own. Raises DatabaseUnavailable where it is away."""

    def waits(self) -> Waits:
        """Return what waits to be sent, the oldest first, and how much was sent lately."""
        with self.connection() as connection:
            rows = connection.execute(_WAITING, (_MOST_WAITING,)).fetchall()
            sent = connection.execute(_SENT).fetchone()
        return Waits([Waiting(*row) for row in rows], int(sent[0]) if sent else 0)

    def hold(self, ids: Sequence[int]) -> None:
        """Keep messages back until they go out together."""
        with self.connection() as connection:
            connection.execute(_HOLD, (list(ids),))

    def drop(self, ids: Sequence[int]) -> None:
        """Send some messages never."""
        with self.connection() as connection:
            connection.execute(_DROP, (list(ids),))

    def digest(self, ids: Sequence[int]) -> Waiting:
        """Make one message of several that were held back."""
        with self.connection() as connection:
            row = connection.execute(_DIGEST, {"ids": list(ids)}).fetchone()
        assert row is not None, "what is told together exists"
        return Waiting(*row)

    def digested(self, digest: int) -> list[Waiting]:
        """The messages that a digest tells."""
        with self.connection() as connection:
            return [Waiting(*row) for row in connection.execute(_IN_DIGEST, (digest,)).fetchall()]

    def due_at(self, alert: int, channels: Sequence[str], wait_s: float) -> list[Delivery]:
        """Channels to which a message is to be sent now; taken down as tried before it is."""
        with self.connection() as connection, connection.transaction():
            connection.execute(_PREPARE, {"id": alert, "channels": list(channels)})
            connection.execute(_GIVE_UP, {"id": alert, "channels": list(channels)})
            rows = connection.execute(_DUE, {"id": alert, "wait": wait_s}).fetchall()
        return [Delivery(*row) for row in rows]

    def delivered(self, alert: int, channel: str, state: str, error: str | None, wait_s: float = 0.0) -> None:
        """Take down what became of a message at a channel; `due` tries again after a while."""
        values = {"id": alert, "channel": channel, "state": state, "error": error, "wait": wait_s}
        with self.connection() as connection:
            connection.execute(_RESULT, values)

    def finish(self, alert: int) -> str | None:
        """Close a message that waits for no channel any more; returns its state, None while it waits."""
        with self.connection() as connection, connection.transaction():
            row = connection.execute(_FINISH, (alert,)).fetchone()
            if row is not None:
                connection.execute(_FINISH_DIGESTED, (row[0], alert))
        return None if row is None else str(row[0])

    def note_test(self, results: Sequence[tuple[str, str | None]]) -> None:
        """Take down a test: channels and what went wrong."""
        state = "sent" if any(error is None for _, error in results) else "failed"
        with self.connection() as connection, connection.transaction():
            row = connection.execute(_TEST, (state,)).fetchone()
            assert row is not None
            for channel, error in results:
                values = (row[0], channel, "failed" if error else "sent", error)
                connection.execute(_TEST_RESULT, values)

    def findings(self, incidents: Sequence[str]) -> list[KeptFinding]:
        """The findings of incidents, the oldest first."""
        with self.connection() as connection:
            return [KeptFinding(*row) for row in connection.execute(_FINDINGS, (list(incidents),)).fetchall()]


def last_deliveries(reading: Reading) -> list[Delivered]:
    """What became of the last message to each channel that ever got one."""
    return [Delivered(*row) for row in reading.execute(sa.text(_LAST))]


def last_told(reading: Reading, most: int) -> list[Told]:
    """The newest messages."""
    return [Told(*row) for row in reading.execute(sa.text(_TOLD), {"most": most})]


def waiting_counts(reading: Reading) -> tuple[int, int]:
    """How many messages are on their way, and how many are held back."""
    due, held = reading.execute(sa.text(_WAIT_COUNT)).one()
    return due, held
