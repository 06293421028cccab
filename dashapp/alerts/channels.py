"""The channels of the settings: their names, and how a message gets to them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from dashapp.settings import DashboardSettings

log = logging.getLogger(__name__)

# A process that takes longer is ended: a channel has some seconds to answer, and several may hang.
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message at a channel; `error` is None where it was taken."""

    channel: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels, which only a process of their own ever opens."""

    urls: tuple[str, ...] = field(repr=False)
    allow_internal: bool
    _names: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.urls)

    def names(self) -> list[str]:
        """Their names, in the order of the settings; none of them holds a key."""
        if self.urls and not self._names:
            self._names.extend(each.channel for each in self._run(None, None, send=False))
        return list(self._names)

    def send(self, message: Message, only: Sequence[str] | None = None) -> list[Result]:
        """Send a message to all of them, or to some by name."""
        return self._run(message, only, send=True) if self.urls else []

    def _run(self, message: Message | None, only: Sequence[str] | None, *, send: bool) -> list[Result]:
        asked = {
            "urls": self.urls,
            "allow_internal": self.allow_internal,
            "only": None if only is None else list(only),
            "send": send,
            "title": message.title if message else "",
            "body": message.body if message else "",
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "dashapp.alerts.outgoing"],
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=True,
            )
            return [Result(each["channel"], each["error"]) for each in json.loads(done.stdout)]
        except subprocess.TimeoutExpired:
            reason = f"no answer within {TIMEOUT_S:.0f} s"
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            # Its own words may hold an address.
            log.error("sending failed: %s", type(error).__name__)
            reason = "sending failed"
        return [Result(name, reason) for name in (only if only is not None else self._names)]


def channels_of(settings: DashboardSettings) -> Channels:
    """The channels of the settings."""
    return Channels(tuple(settings.alert_urls.get_secret_value().split()), settings.alert_allow_internal)
