"""Messages from the table to the channels: once, in time, again where one failed, and tested from the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.alerts.channels import channels_of
from dashapp.alerts.quiet import quiet_hours
from dashapp.alerts.saying import style_of
from dashapp.alerts.sender import MOST_TRIES, Rules, Sender
from dashapp.api import api_blueprint
from dashapp.insight.finding import Finding, Severity, Subject
from dashapp.scan.kept import columns_of, key_of
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.upload_access import MARK
from sql.alerts import AlertStore
from sql.connection import connect, reading_engine
from sql.watching import Step, Telling, WatchStore
from tests.receivers import Received, http_receiver
from tests.scanning import forget_all

NOON = datetime(2026, 5, 4, 3, tzinfo=UTC)  # in Seoul
NIGHT = NOON + timedelta(hours=12)
OURS = {MARK: "1", "Sec-Fetch-Site": "same-origin", "Host": "localhost"}


@pytest.fixture
def alerts_dsn(module_quiet_dsn: str) -> str:
    with connect(module_quiet_dsn) as connection:
        forget_all(connection)
    return module_quiet_dsn


@pytest.fixture
def own(alerts_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(alerts_dsn) as connection:
        yield connection


@pytest.fixture
def webhook() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, webhook: Received) -> DashboardSettings:
    monkeypatch.chdir(tmp_path)
    return DashboardSettings(
        alert_urls=f"json://127.0.0.1:{webhook.port}/key-hunter2",  # type: ignore[arg-type]
        alert_allow_internal=True,
        ui_language="en",
    )


@dataclass
class Desk:
    """What the scan writes and the sender reads, at a moment that the test moves."""

    watch: WatchStore
    store: AlertStore
    sender: Sender
    now: datetime = NOON

    def happens(self, route: str, *, over: bool = False, severity: Severity = "medium", service: str = "shop") -> str:
        subject = Subject(service, "POST", route)
        end = NOON + timedelta(minutes=5) if over else None
        finding = Finding(
            "error_burst", severity, subject, NOON, end, "share", 0.5, 0.01, 50.0, 30.0, 1e-9, 200, "fault"
        )
        key = key_of(finding)
        row = columns_of(key, finding, incident=key, late=False, watch=1)
        told = [] if over else [Telling(key, "opened", severity)]
        self.watch.keep(Step(1, rows=[row], tellings=told, ended=[key] if over else []))
        return key


@pytest.fixture
def desk(alerts_dsn: str, settings: DashboardSettings) -> Iterator[Desk]:
    store, watch = AlertStore.open(alerts_dsn), WatchStore.open(alerts_dsn, "test")
    rules = Rules(quiet_hours("22:00-07:00", ZoneInfo("Asia/Seoul")), quiet_high=True, most_per_hour=4)
    found = Desk(watch, store, None)  # type: ignore[arg-type]
    found.sender = Sender(store, channels_of(settings), style_of(settings), rules, lambda: found.now)
    assert watch.lease() is not None
    yield found
    store.close()
    watch.close()


def again_at_once(own: psycopg.Connection[Any]) -> None:
    own.execute("update alert_delivery set next_at = now()")


def test_an_incident_is_told_when_it_opens_and_when_it_is_over_and_never_twice(desk: Desk, webhook: Received) -> None:
    desk.happens("/pay")
    desk.happens("/pay")  # it goes on
    desk.sender.round()
    desk.sender.round()
    desk.happens("/pay", over=True)
    desk.happens("/pay", over=True)
    desk.sender.round()
    desk.sender.round()
    titles = [each["title"] for each in webhook.messages]
    assert len(titles) == 2
    assert "Incident [Medium]" in titles[0]
    assert "Over" in titles[1]


def test_a_channel_that_fails_is_tried_again_later_and_given_up_in_the_end(
    desk: Desk, webhook: Received, own: psycopg.Connection[Any]
) -> None:
    webhook.status = 503
    desk.happens("/pay")
    desk.sender.round()
    desk.sender.round()  # not yet
    assert len(webhook.messages) == 1
    assert own.execute("select state, attempts, error from alert_delivery").fetchall() == [
        ("due", 1, "the channel answered 503")
    ]
    again_at_once(own)
    webhook.status = 200
    desk.sender.round()
    assert len(webhook.messages) == 2
    assert own.execute("select state from alert").fetchall() == [("sent",)]
    webhook.status = 500
    desk.happens("/pay", over=True)
    own.execute("update alert set state = state")
    desk.sender.round()
    own.execute("update alert_delivery set attempts = %s where state = 'due'", (MOST_TRIES - 1,))
    again_at_once(own)
    desk.sender.round()
    assert own.execute("select what, state from alert order by id").fetchall() == [
        ("opened", "sent"),
        ("closed", "failed"),
    ]


def test_at_night_messages_are_held_back_but_high_ones_and_one_digest_follows(desk: Desk, webhook: Received) -> None:
    desk.now = NIGHT
    for number in range(3):
        desk.happens(f"/route{number}", service=f"s{number}")
    desk.happens("/route0", over=True, service="s0")
    desk.happens("/pay", severity="high")
    desk.sender.round()
    desk.sender.round()
    assert [each["title"].count("/pay") for each in webhook.messages] == [1]
    desk.now = NIGHT + timedelta(hours=7)
    desk.sender.round()
    desk.sender.round()
    assert len(webhook.messages) == 2
    digest = webhook.messages[1]
    assert "4 messages" in digest["title"]
    assert [f"/route{number}" in digest["message"] for number in range(3)] == [True] * 3


def test_too_many_messages_wait_for_a_digest(desk: Desk, webhook: Received, own: psycopg.Connection[Any]) -> None:
    for number in range(7):
        desk.happens(f"/route{number}", service=f"s{number}")
    desk.sender.round()
    desk.sender.round()
    assert len(webhook.messages) == 4
    own.execute("update alert set finished_at = finished_at - interval '2 hours'")
    desk.sender.round()
    assert len(webhook.messages) == 5
    assert "3 messages" in webhook.messages[-1]["title"]


def test_whoever_does_not_watch_sends_nothing(desk: Desk, webhook: Received) -> None:
    desk.happens("/pay")
    desk.sender._may_send = lambda: False
    desk.sender.round()
    assert webhook.messages == []


# ---- the button ----


@pytest.fixture
def engine(alerts_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(alerts_dsn)
    yield engine
    engine.dispose()


def client_of(settings: DashboardSettings, engine: sa.Engine, store: AlertStore | None = None) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(settings, engine, now=lambda: NOON, shared=Shared(0), alerts=store))
    return app.test_client()


def test_the_button_sends_to_every_channel_and_the_page_shows_what_became_of_it(
    settings: DashboardSettings, engine: sa.Engine, desk: Desk, webhook: Received
) -> None:
    client = client_of(settings, engine, desk.store)
    answer = client.post("/api/alerts/test", headers=OURS)
    assert (answer.status_code, answer.get_json()) == (200, {"channels": [{"name": "JSON 127.0.0.1", "error": None}]})
    assert [each["title"] for each in webhook.messages] == ["SOLOMONTECH: Test message"]
    assert client.post("/api/alerts/test", headers=OURS).status_code == 429
    state = client.get("/api/alerts")
    assert "hunter2" not in state.get_data(as_text=True)
    (channel,) = state.get_json()["channels"]
    assert (channel["name"], channel["last_state"], channel["error"]) == ("JSON 127.0.0.1", "sent", None)
    assert [each["what"] for each in state.get_json()["told"]] == ["test"]


@pytest.mark.parametrize(
    ("headers", "address", "code"),
    [
        ({}, "127.0.0.1", "cross_site"),
        ({**OURS, "Sec-Fetch-Site": "cross-site"}, "127.0.0.1", "cross_site"),
        ({**OURS, "Origin": "https://evil.example"}, "127.0.0.1", "cross_site"),
        (OURS, "10.0.0.7", "test_elsewhere"),
        ({**OURS, "X-Forwarded-For": "10.0.0.7"}, "127.0.0.1", "test_proxy"),
    ],
)
def test_the_button_is_for_our_own_pages_on_this_machine(
    settings: DashboardSettings, engine: sa.Engine, webhook: Received, headers: dict[str, str], address: str, code: str
) -> None:
    client = client_of(settings, engine)
    answer = client.post("/api/alerts/test", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, code)
    assert webhook.messages == []


def test_without_channels_the_button_says_so(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    client = client_of(DashboardSettings(), engine)
    answer = client.post("/api/alerts/test", headers=OURS)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "no_channels")
    assert client.get("/api/alerts").get_json()["on"] is False


def test_a_test_to_an_internal_address_is_refused_without_the_setting(
    settings: DashboardSettings, engine: sa.Engine, webhook: Received
) -> None:
    client = client_of(settings.model_copy(update={"alert_allow_internal": False}), engine)
    (channel,) = client.post("/api/alerts/test", headers=OURS).get_json()["channels"]
    assert "internal address" in channel["error"]
    assert webhook.messages == []
