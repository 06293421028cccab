"""What layouts and callbacks share: settings, database, clock, and what a request says about its viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import flask
import sqlalchemy as sa

from dashapp.access.identity import current
from dashapp.completeness import Completeness
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.time_range import MOST_POINTS
from dashapp.view import View, address, parameters_of, view_of
from dashapp.words import LANGUAGES, Words
from sql.alerts import AlertStore

LANGUAGE_COOKIE = "accessboard-language"
WIDTH_COOKIE = "accessboard-width"  # written by assets/00-theme.js before the first paint
MOST_POINTS_PHONE = 120


@dataclass(frozen=True, slots=True)
class Site:
    """One dashboard; `alerts` is where its messages are taken down, if it sends any."""

    settings: DashboardSettings
    engine: sa.Engine
    now: Callable[[], datetime]
    shared: Shared = field(default_factory=Shared)
    alerts: AlertStore | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Zone of every time on a page."""
        return self.settings.zone

    def complete(self) -> datetime:
        """Moment up to which the numbers are final."""
        return Completeness(self.engine, self.settings.settle_seconds, self.now, self.shared).through()

    def view(self, search: str | None) -> View:
        """What the address asks to see, with the filters of a shared view in the places of its own."""
        pinned = current().pinned
        if pinned:
            search = address("", parameters_of(search), **pinned)
        return view_of(search, self.complete(), self.zone)

    def words(self, search: str | None = None) -> Words:
        """Words in the language of the address, else of the viewer's cookie, else of the settings."""
        for language in (parameters_of(search).get("lang"), _cookie(LANGUAGE_COOKIE)):
            if language in LANGUAGES:
                return Words(language)
        return Words(self.settings.ui_language)


def is_phone() -> bool:
    """Tell whether the current request comes from a narrow window."""
    return _cookie(WIDTH_COOKIE) == "phone"


def most_points() -> int:
    """Most points a chart's trace may have in the viewer's window."""
    return MOST_POINTS_PHONE if is_phone() else MOST_POINTS


def _cookie(name: str) -> str | None:
    # An app is also put together outside of any request.
    return flask.request.cookies.get(name) if flask.has_request_context() else None
