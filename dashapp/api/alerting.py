"""Messages about incidents, as the document describes them; `dashapp.api_alerts` serves them."""

from __future__ import annotations

from pydantic import Field

from dashapp.api.model import Count, Model, Moment


class ChannelState(Model):
    """A channel and what became of the last message to it: sent, failed, or due to be tried again."""

    name: str = Field(description="Its service, and its host where that is no secret.")
    last_state: str | None
    last_at: Moment | None
    attempts: Count
    error: str | None


class ToldMessage(Model):
    """A message: an incident that opened or closed, a digest of several, or a test."""

    what: str
    severity: str
    incident: str | None
    state: str
    created_at: Moment
    finished_at: Moment | None


class AlertsState(Model):
    """The channels, the rules, and the newest messages."""

    on: bool
    severity: str
    quiet_hours: str
    due: Count
    held: Count
    channels: list[ChannelState]
    told: list[ToldMessage]


class TestedChannel(Model):
    """A channel and why a test did not reach it; null where it did."""

    name: str
    error: str | None


class TestResults(Model):
    """What became of a test at every channel."""

    channels: list[TestedChannel]
