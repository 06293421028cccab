"""Whatever an address asks for, every callback of every page answers it, and none fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.batch import Batch
from sql.writing import LogWriter
from tests.rows import log_row

NOW = datetime(2015, 3, 2, 12, 0, tzinfo=UTC)
CHOSEN = {("shell-filter-field", "value"): "route", ("shell-url", "pathname"): "/"}
STRANGE = (
    "?start=1971-01-01&end=2199-12-31&vs=prev",
    "?start=1971-01-01&end=2199-12-31&vs_start=2199-01-01&method=GET",
    "?start=0001-01-01&end=9999-12-31&vs_start=x",
    "?start=2015-03-02T20:00:00.000001&end=2015-03-02T20:00:00.000002&vs=week",
    "?last=99h&vs=nope&refresh=1ms&by=foo&among=foo&lang=fr",
    "?status=9xx&client_ip=1.2.3.4/33&latency_min=nan&latency_max=-1",
    "?client_ip=::/0&latency_min=1e308&service=%F0%9F%98%80&text=%25_%5C",
    "?method=GET%00&route=/x&regex=%00",
    "?regex=(a)%5C1",
)


@pytest.fixture
def client(engine: sa.Engine, writer: LogWriter, service: str) -> FlaskClient:
    writer.store(Batch("import:test", service, [log_row(ts=NOW.replace(hour=11), service=service, route="/a")], []))
    settings = DashboardSettings(_env_file=None)  # type: ignore[call-arg]
    found: FlaskClient = create_app(settings, engine, now=lambda: NOW).server.test_client()
    return found


def answers(client: FlaskClient, search: str) -> dict[str, Any]:
    """What the callbacks say that look at the query string, by their outputs."""

    def given(part: dict[str, Any]) -> dict[str, Any]:
        value = search if part["property"] == "search" else CHOSEN.get((part["id"], part["property"]))
        return {**part, "value": value}

    said = {}
    for callback in client.get("/_dash-dependencies").get_json():
        inputs, states, output = callback["inputs"], callback["state"], callback["output"]
        if callback["clientside_function"] or all(part["id"] != "shell-url" for part in (*inputs, *states)):
            continue
        names = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in parts_of(output)]
        body = {
            "output": output,
            "outputs": names if output.startswith("..") else names[0],
            "inputs": [given(part) for part in inputs],
            "state": [given(part) for part in states],
            "changedPropIds": ["shell-url.search"],
        }
        answer = client.post("/_dash-update-component", json=body)
        assert answer.status_code in (200, 204), (search, output)
        said[output] = json.loads(answer.text or "{}")
    return said


def parts_of(output: str) -> list[str]:
    return [part.partition("@")[0] for part in output.strip(".").split("...")]


@pytest.mark.parametrize("search", STRANGE)
def test_no_callback_fails_on_a_strange_address(client: FlaskClient, search: str) -> None:
    said = answers(client, search)
    assert len(said) > 20
    assert [output for output, answer in said.items() if "shell-failure" in answer.get("sideUpdate", {})] == []
    assert "예상하지 못한 오류" not in json.dumps(said, ensure_ascii=False)


def test_a_pattern_that_the_database_cannot_read_is_explained_on_every_page(client: FlaskClient) -> None:
    said = answers(client, "?regex=(&lang=en")
    assert said["..shell-filter-values.children...shell-database.children.."]["response"] == {
        "shell-filter-values": {"children": []},
        "shell-database": {"children": None},
    }
    parts = "overview-empty patterns-empty endpoints-grid realtime- logs-found report-head findings-list"
    for page in parts.split():
        output = next(each for each in said if each.startswith(f"..{page}"))
        assert "The regular expression cannot be read" in json.dumps(said[output]), page
