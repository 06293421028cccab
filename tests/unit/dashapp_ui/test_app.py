from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dash import dcc

import dashapp
from dashapp import pages
from dashapp.app import create_app
from dashapp.document import Dashboard
from dashapp.figures.base import GRAPH_CONFIG
from dashapp.settings import DashboardSettings
from tests.unit.dashapp_ui.builders import components_of

ASSETS = Path(dashapp.__file__).parent / "assets"


def new_app() -> Dashboard:
    """An app whose database must not be touched."""
    engine = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    return create_app(DashboardSettings(), engine, now=lambda: datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture(scope="module")
def app() -> Dashboard:
    return new_app()


def test_several_apps_fit_in_one_process_and_open_no_connection(app: Dashboard) -> None:
    assert new_app().server is not app.server


def test_every_graph_has_the_configuration_that_shares_nothing(app: Dashboard) -> None:
    graphs: list[Any] = [node for node in components_of(app.validation_layout) if isinstance(node, dcc.Graph)]
    assert len(graphs) >= 4
    for graph in graphs:
        assert graph.config == GRAPH_CONFIG
    assert "sendChartToCloud" in GRAPH_CONFIG["modeBarButtonsToRemove"]
    assert GRAPH_CONFIG["displaylogo"] is False


def test_every_page_answers_in_the_asked_language_and_nothing_else_exists(app: Dashboard) -> None:
    client = app.server.test_client()
    for page in pages.PAGES:
        response = client.get(page.PATH, query_string={"lang": "en"})
        assert response.status_code == 200
        assert '<html lang="en">' in response.text
        assert "accessboard-language=en" in response.headers["Set-Cookie"]
        assert '<html lang="en">' in client.get(page.PATH).text  # by the cookie
    assert client.get("/nothing").status_code == 404
    assert '<html lang="ko">' in app.server.test_client().get("/?lang=xx").text


def test_answers_allow_only_our_own_scripts(app: Dashboard) -> None:
    client = app.server.test_client()
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert re.search(r"script-src 'self' 'sha256-[^']+'", policy)
    assert "unsafe-inline" not in policy.split("script-src", 1)[1]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert [address for address in loaded if not address.startswith(("/", "data:"))] == []


def test_liveness_needs_no_database_and_the_model_context_server_is_off(app: Dashboard) -> None:
    client = app.server.test_client()
    assert client.get("/healthz").status_code == 200
    assert not [rule.rule for rule in app.server.url_map.iter_rules() if "mcp" in rule.rule]


@pytest.mark.parametrize("accepted", ["gzip, deflate", "gzip, deflate, br, zstd"])
def test_scripts_and_answers_travel_compressed(app: Dashboard, accepted: str) -> None:
    client = app.server.test_client()
    script = next(re.finditer(r'src="([^"]+grid[^"]*)"', client.get("/").text))[1]
    for path in (script, "/api/openapi.json"):
        plain, packed = (client.get(path, headers={"Accept-Encoding": each}) for each in ("identity", accepted))
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] in accepted
        assert len(packed.data) < len(plain.data) / 2


def test_colours_are_written_in_the_tokens_only() -> None:
    for path in ASSETS.glob("*.css"):
        if path.name.startswith(("00-", "10-")):
            continue
        rules = re.sub(r'url\("data:[^"]*"\)', "", path.read_text(encoding="utf-8"))
        found = re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(", rules)
        assert [colour for colour in found if colour != "#000"] == [], path.name  # #000 is a mask, not a colour


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in (*ASSETS.glob("*.css"), *ASSETS.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text
        assert not re.search(r"(?:@import|url\(\s*[\"']?https?:)", text), path.name
