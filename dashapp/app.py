"""Put the dashboard together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import dash
import flask
import sqlalchemy as sa
from dash import html

from dashapp import errors, pages, shell
from dashapp.api import api_blueprint
from dashapp.document import Dashboard, remember_language
from dashapp.security import secure
from dashapp.settings import DashboardSettings
from dashapp.site import Site
from dashapp.words import Words
from sql.ai_history import AiStore
from sql.alerts import AlertStore


def utc_now() -> datetime:
    """Current moment."""
    return datetime.now(UTC)


def create_app(
    settings: DashboardSettings,
    engine: sa.Engine,
    *,
    now: Callable[[], datetime] = utc_now,
    alerts: AlertStore | None = None,
    ai: AiStore | None = None,
) -> Dashboard:
    """Return the dashboard as a Dash app; `app.server` is its Flask app. Opens no connection.

    `alerts` is where messages are taken down if this dashboard sends any, `ai` where analyses are: without it none
    are made.
    """
    site = Site(settings, engine, now, alerts=alerts)
    # Pages of an earlier app in this process, had anything registered some.
    dash.page_registry.clear()
    app = Dashboard(
        __name__,
        # Dash's own router builds a page anew whenever the query string changes, and with it every chart.
        # shell.callbacks routes by path alone.
        use_pages=False,
        pages_folder="",
        # It stands in the head of the document already.
        assets_ignore=Dashboard.theme_script,
        update_title=None,  # type: ignore[arg-type]
        compress=True,
        enable_mcp=False,
        on_error=partial(errors.report_failure, site),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.site = site
    # Ids of all pages are known from the start, so that a misspelt one is an error, not silence.
    app.validation_layout = html.Div(  # type: ignore[assignment]
        [shell.skeleton(site, Words("en")), *(page.layout(site, Words("en")) for page in pages.PAGES)]
    )
    # After validation_layout: without one, Dash would call the layout here, outside of any request.
    app.layout = partial(shell.layout, site)
    shell.register(app, site)
    for page in pages.PAGES:
        page.register(app, site)
    app.server.register_blueprint(api_blueprint(settings, engine, now=now, shared=site.shared, alerts=alerts, ai=ai))
    app.server.add_url_rule("/healthz", "healthz", _healthz)
    remember_language(app, frozenset(page.PATH for page in pages.PAGES))
    secure(app)
    return app


def _healthz() -> flask.Response:
    return flask.Response("ok\n", mimetype="text/plain")
