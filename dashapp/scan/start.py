"""Start the watch and its messages with the settings of a dashboard."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dashapp.alerts.channels import channels_of
from dashapp.alerts.quiet import quiet_hours
from dashapp.alerts.saying import style_of
from dashapp.alerts.sender import Rules, Sender
from dashapp.completeness import Completeness
from dashapp.ingest_address import ingest_address
from dashapp.scan import search
from dashapp.scan.canary import Canary
from dashapp.scan.run import Scanner
from dashapp.scan.thread import Rounds
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.alerts import AlertStore
from sql.canary import CanaryStore
from sql.connection import DatabaseUnavailable
from sql.watching import WatchStore


@dataclass(frozen=True, slots=True)
class Running:
    """What was started: `stop` leaves the watch to another process, `alerts` has the messages, if any are sent."""

    stop: Callable[[], None]
    alerts: AlertStore | None


def start(settings: DashboardSettings, dsn: str, engine: sa.Engine, now: Callable[[], datetime]) -> Running:
    """Start the threads: one searches, and one sends where there are channels. The database may still be away."""
    channels = channels_of(settings)
    store = WatchStore.open(dsn, f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    complete = Completeness(engine, settings.settle_seconds, now, Shared(0)).through
    least = settings.alert_severity if channels else None
    scanner = Scanner(engine, store, complete, search.make_watch, search.answer, least=least)
    rounds = [Rounds("scan", scanner.round)]
    alerts = AlertStore.open(dsn) if channels else None
    if alerts is not None:
        sender = Sender(alerts, channels, style_of(settings), rules_of(settings), now, may_send=lambda: scanner.holds)
        rounds.append(Rounds("alerts", sender.round))
    canaries = CanaryStore.open(dsn) if settings.canary else None
    if canaries is not None:
        address = ingest_address(settings)
        canary = Canary(engine, canaries, store, address, now, may=lambda: scanner.holds, least=least)
        rounds.append(Rounds("canary", canary.round))
    for each in rounds:
        each.start()

    def stop() -> None:
        for each in rounds:
            each.stop()
        with suppress(DatabaseUnavailable):
            scanner.stop()
        store.close()
        if canaries is not None:
            canaries.close()
        if alerts is not None:
            alerts.close()

    return Running(stop, alerts)


def rules_of(settings: DashboardSettings) -> Rules:
    """When messages go out."""
    return Rules(
        quiet_hours(settings.alert_quiet_hours, settings.zone), settings.alert_quiet_high, settings.alert_most_per_hour
    )
