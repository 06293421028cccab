"""Send what is due: in time, once, not too much, and again where a channel did not take it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashapp.alerts.channels import Channels, Message
from dashapp.alerts.message import Style, digest_of, message_of
from dashapp.alerts.quiet import QuietHours
from dashapp.insight.finding import Finding
from dashapp.scan.kept import finding_of
from sql.alerts import AlertStore, Waiting

log = logging.getLogger(__name__)

# Tries of one message at one channel, each after twice the time: a little over four hours in all.
MOST_TRIES = 10
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
# While a message is being sent nobody else tries.
_SENDING_S = 120.0


@dataclass(frozen=True, slots=True)
class Rules:
    """When messages go out.

    Attributes:
        quiet: hours in which they are held back.
        quiet_high: whether high ones go out in them.
        most_per_hour: more than that are held back.
    """

    quiet: QuietHours | None
    quiet_high: bool
    most_per_hour: int

    def holds(self, waiting: Waiting, now: datetime, room: int) -> bool:
        """Whether a message has to wait, with room for so many more in this hour."""
        if room <= 0:
            return True
        if self.quiet is None or not self.quiet.hold(now):
            return False
        return not (self.quiet_high and waiting.severity == "high")


class Sender:
    """Goes through what waits, in rounds; a channel that fails never keeps the watch waiting."""

    def __init__(
        self,
        store: AlertStore,
        channels: Channels,
        style: Style,
        rules: Rules,
        now: Callable[[], datetime],
        *,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """Send nothing yet; `may_send` says whether this process is the one to send."""
        self._store = store
        self._channels = channels
        self._style = style
        self._rules = rules
        self._now = now
        self._may_send = may_send

    def round(self) -> bool:
        """Send what is due; returns whether more is due at once.

        Raises:
            DatabaseUnavailable: the database is away; nothing is lost.
        """
        if not self._may_send() or not self._channels.names():
            return False
        waits = self._store.waits()
        room = self._rules.most_per_hour - waits.sent_last_hour
        now = self._now()
        for each in waits.waiting:
            if each.state == "held":
                continue
            if each.what != "digest" and self._rules.holds(each, now, room):
                self._store.hold([each.id])
            elif self._send(each):
                room -= 1
        held = [each for each in waits.waiting if each.state == "held"]
        ready = [each for each in held if not self._rules.holds(each, now, room)]
        if len(ready) == 1:
            self._send(ready[0])
        elif ready and len(ready) == len(held):
            self._send(self._store.digest([each.id for each in ready]))
        return False

    def _send(self, each: Waiting) -> bool:
        """Send a message to the channels that have not got it; returns whether it is off the list."""
        names = self._channels.names()
        due = self._store.due_at(each.id, names, _SENDING_S)
        if due:
            message = self._message(each)
            tries = {delivery.channel: delivery.attempts for delivery in due}
            for result in self._channels.send(message, list(tries)):
                attempts = tries.pop(result.channel, 1)
                self._take_down(each.id, result.channel, result.error, attempts)
            for channel, attempts in tries.items():
                self._take_down(each.id, channel, "not sent", attempts)
        return self._store.finish(each.id) is not None

    def _take_down(self, alert: int, channel: str, error: str | None, attempts: int) -> None:
        if error is None:
            self._store.delivered(alert, channel, "sent", None)
            return
        given_up = attempts >= MOST_TRIES
        log.warning("message %s to %s: %s%s", alert, channel, error, "; given up" if given_up else "")
        wait_s = min(_FIRST_WAIT_S * 2 ** (attempts - 1), _LONGEST_WAIT_S)
        self._store.delivered(alert, channel, "failed" if given_up else "due", error, wait_s)

    def _message(self, each: Waiting) -> Message:
        if each.what == "digest":
            told = self._store.digested(each.id)
            incidents = [(one.what, self._findings([one.incident])) for one in told if one.incident is not None]
            return digest_of(incidents, self._style)
        return message_of(each.what, self._findings([each.incident or ""]), self._style)

    def _findings(self, incidents: Sequence[str]) -> list[Finding]:
        return [finding_of(each.payload) for each in self._store.findings(incidents)]
