"""The channels as a page shows them: what is set, what became of the last message to each, and a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from dashapp.alerts.channels import Channels, Result
from dashapp.alerts.message import Style, test_message
from dashapp.settings import DashboardSettings
from sql.alerts import AlertStore, Delivered, Told, last_deliveries, last_told, waiting_counts
from sql.connection import DatabaseUnavailable, Reading

MOST_TOLD = 20
# Between two tests: each of them may wake somebody.
TEST_EVERY_S = 10.0


class TooSoon(Exception):
    """A test is under way, or was a moment ago."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel by its name, which holds no key, and what became of the last message to it."""

    name: str
    last: Delivered | None


@dataclass(frozen=True, slots=True)
class Alerting:
    """What a page shows: the channels, the rules, and the newest messages.

    Attributes:
        on: whether anything is watched and told.
        channels: as far as they are known.
        severity: the least that is told.
        quiet_hours: as they are set, in the zone of the pages; empty for none.
        due: messages on their way.
        held: messages that are held back.
        told: the newest messages.
    """

    on: bool
    channels: Sequence[Channel]
    severity: str
    quiet_hours: str
    due: int
    held: int
    told: Sequence[Told]


class Desk:
    """Shows and tests the channels of one dashboard."""

    def __init__(
        self,
        settings: DashboardSettings,
        channels: Channels,
        style: Style,
        store: AlertStore | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a store nothing is watched, and a test is not taken down."""
        self._settings = settings
        self._channels = channels
        self._style = style
        self._store = store
        self._clock = clock
        self._busy = threading.Lock()
        self._tested_at = float("-inf")

    def names(self) -> list[str]:
        """Names of the channels. A process is started for them, so not within a snapshot."""
        return self._channels.names()

    def state(self, reading: Reading, names: Sequence[str]) -> Alerting:
        """Read what became of messages to channels."""
        last = {each.channel: each for each in last_deliveries(reading)}
        due, held = waiting_counts(reading)
        return Alerting(
            on=bool(names) and self._store is not None,
            channels=[Channel(name, last.get(name)) for name in names],
            severity=self._settings.alert_severity,
            quiet_hours=self._settings.alert_quiet_hours,
            due=due,
            held=held,
            told=last_told(reading, MOST_TOLD),
        )

    def test(self, now: datetime) -> list[Result]:
        """Send a test message to every channel at once, quiet hours or not.

        Raises:
            TooSoon: another test is under way, or was a moment ago.
        """
        if not self._busy.acquire(blocking=False):
            raise TooSoon
        try:
            if self._clock() < self._tested_at + TEST_EVERY_S:
                raise TooSoon
            self._tested_at = self._clock()
            results = self._channels.send(test_message(self._style, now))
        finally:
            self._busy.release()
        if self._store is not None and results:
            with suppress(DatabaseUnavailable):  # whoever asked sees it
                self._store.note_test([(each.channel, each.error) for each in results])
        return results
