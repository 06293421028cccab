"""Put the dashboard together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import dash
import flask
import sqlalchemy as sa
from dash import html
from dash.exceptions import DependencyException

from dashapp import errors, health, pages, shell
from dashapp.access.administration import Administration
from dashapp.access.door import Door
from dashapp.access.gate import Gate
from dashapp.api import api_blueprint
from dashapp.document import Dashboard, remember_language
from dashapp.measuring import Measuring
from dashapp.security import secure
from dashapp.settings import DashboardSettings
from dashapp.site import Site
from dashapp.words import Words
from sql.accounts import AccountStore
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
    accounts: AccountStore | None = None,
) -> Dashboard:
    """Return the dashboard as a Dash app; `app.server` is its Flask app. Opens no connection.

    `alerts` is where messages are taken down if this dashboard sends any, `ai` where analyses are: without it none
    are made; `accounts` is who may sign in: without it nobody can, and AUTH=auto is open to this machine.
    """
    site = Site(settings, engine, now, alerts=alerts)
    gate = Gate(settings, accounts)
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
    app.server.register_blueprint(health.blueprint(site))
    Measuring(site).install(app.server)  # before the gate: what it refuses counts too
    gate.install(app)
    app.server.register_blueprint(Door(site, gate).blueprint())
    app.server.register_blueprint(Administration(site, gate).blueprint())
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
    # Of a script that there is not, Dash makes an error of the server.
    app.server.register_error_handler(DependencyException, _no_such_script)
    remember_language(app, frozenset(page.PATH for page in pages.PAGES))
    secure(app)
    return app


def _no_such_script(_error: DependencyException) -> tuple[flask.Response, int]:
    return flask.Response("there is no such script\n", mimetype="text/plain"), 404


def _healthz() -> flask.Response:
    return flask.Response("ok\n", mimetype="text/plain")
