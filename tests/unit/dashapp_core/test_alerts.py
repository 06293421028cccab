"""Messages: when, to whom, in which words, and never to an internal address unless that is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from dashapp.alerts.channels import Channels, Message, channels_of
from dashapp.alerts.guard import is_internal
from dashapp.alerts.message import digest_of, message_of
from dashapp.alerts.quiet import BadHours, quiet_hours
from dashapp.alerts.saying import style_of
from dashapp.alerts.sender import Rules
from dashapp.insight.finding import Finding, Subject
from dashapp.settings import DashboardSettings
from sql.alerts import Waiting
from tests.receivers import Received, http_receiver, mail_receiver

SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)  # 00:30 in Seoul
DAY = datetime(2026, 5, 4, 3, tzinfo=UTC)  # noon
HELLO = Message("title", "body")
FINDING = Finding(
    "error_burst",
    "high",
    Subject("shop", "POST", "/pay"),
    DAY,
    None,
    "share",
    0.5,
    0.01,
    50.0,
    30.0,
    1e-30,
    200,
    "fault",
)


@pytest.fixture
def webhook() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


# ---- which addresses ----


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::",
        "localhost", "/run/some.sock", "",
    ],
)  # fmt: skip
def test_internal_addresses_are_known_in_every_form(address: str) -> None:
    assert is_internal(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_internet_are_not_internal(address: str) -> None:
    assert not is_internal(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"])  # noqa: S104
def test_no_request_goes_to_an_internal_address(webhook: Received, host: str) -> None:
    (result,) = Channels((f"json://{host}:{webhook.port}/key",), allow_internal=False).send(HELLO)
    assert result.error is not None
    assert webhook.messages == []
    if host != "2130706433":
        assert "internal address" in result.error


def test_no_mail_goes_to_an_internal_address() -> None:
    with mail_receiver() as mail:
        (result,) = Channels((mail_url(mail.port),), allow_internal=False).send(HELLO)
        assert "internal address" in (result.error or "")
        assert mail.messages == []


def test_a_redirect_to_an_internal_address_is_not_followed(webhook: Received) -> None:
    # Here 127.0.0.2 stands for an address of the Internet.
    asked: dict[str, Any] = {"allow_internal": False, "only": None, "send": True, "title": "t", "body": "b"}
    code = (
        "import json, sys; from dashapp.alerts import guard, outgoing; "
        "guard.is_internal = lambda host: host != '127.0.0.2'; print(json.dumps(outgoing.run(json.load(sys.stdin))))"
    )
    with http_receiver("127.0.0.2") as outside:
        asked["urls"] = [f"json://127.0.0.2:{outside.port}/"]
        outside.status, outside.location = 307, f"http://127.0.0.1:{webhook.port}/secret"
        done = subprocess.run([sys.executable, "-c", code], input=json.dumps(asked), capture_output=True, text=True)
        (result,) = json.loads(done.stdout)
        assert len(outside.messages) == 1
    assert webhook.messages == []
    assert "127.0.0.1 is an internal address" in result["error"]


def test_a_proxy_is_not_used_where_nobody_sees_what_it_reaches(
    webhook: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{webhook.port}")
    (result,) = Channels(("json://127.0.0.1:9/",), allow_internal=False).send(HELLO)
    assert "internal address" in (result.error or "")
    assert webhook.messages == []


# ---- channels ----


def mail_url(port: int) -> str:
    return f"mailto://127.0.0.1:{port}/?mode=insecure&from=dash@example.com&to=ops@example.com&smtp=127.0.0.1"


def test_messages_arrive_by_webhook_and_by_mail(webhook: Received) -> None:
    with mail_receiver() as mail:
        urls = (f"json://127.0.0.1:{webhook.port}/hook", mail_url(mail.port))
        results = Channels(urls, allow_internal=True).send(Message("장애 감지", "POST /pay\n실패"))
        assert [each.error for each in results] == [None, None]
        assert [(each["title"], each["message"]) for each in webhook.messages] == [("장애 감지", "POST /pay\n실패")]
        (letter,) = mail.messages
    assert "ops@example.com" in letter["to"]
    assert "POST /pay" in letter["text"]


def test_a_channel_that_refuses_does_not_keep_the_others_from_it(webhook: Received) -> None:
    with http_receiver() as broken:
        broken.status = 500
        urls = (f"json://127.0.0.1:{broken.port}/", f"json://127.0.0.1:{webhook.port}/", "nonsense://x")
        channels = Channels(urls, allow_internal=True)
        results = channels.send(HELLO)
        assert [each.error for each in results] == [
            "the channel answered 500", None, "this is no address that Apprise knows",
        ]  # fmt: skip
        again = channels.send(HELLO, [results[0].channel])
        assert [each.channel for each in again] == [results[0].channel]
    assert len(webhook.messages) == 1


def test_names_of_channels_hold_no_key() -> None:
    urls = (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "mailto://user:hunter2@mail.example.com",
        "jsons://user:hunter2@hooks.example.com/secret/path?token=x",
        "ntfy://my-secret-topic",
        "jsons://hooks.example.com/other",
    )
    names = Channels(urls, allow_internal=False).names()
    assert names == [
        "Slack", "Telegram", "Discord", "E-Mail mail.example.com", "JSON hooks.example.com", "ntfy",
        "JSON hooks.example.com (2)",
    ]  # fmt: skip


def test_settings_read_channels_and_never_show_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERT_URLS", "slack://AAAAAAAAA/BBBBBBBBB/hunter2  json://x.example/?a=1,2\n")
    settings = DashboardSettings()
    assert channels_of(settings).urls == ("slack://AAAAAAAAA/BBBBBBBBB/hunter2", "json://x.example/?a=1,2")
    assert "hunter2" not in repr(settings) + settings.model_dump_json()
    assert not channels_of(settings).allow_internal
    assert "hunter2" not in repr(channels_of(settings))


@pytest.mark.parametrize("hours", ["22-7", "25:00-07:00", "07:00-07:00", "22:00 07:00"])
def test_settings_refuse_hours_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hours: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERT_QUIET_HOURS", hours)
    with pytest.raises(ValidationError, match="alert_quiet_hours"):
        DashboardSettings()


# ---- when ----


def waiting(severity: str = "medium") -> Waiting:
    return Waiting(1, "a", "opened", severity, DAY, "due")


@pytest.mark.parametrize(
    ("text", "moment", "held"),
    [
        ("22:00-07:00", NIGHT, True),
        ("22:00-07:00", DAY, False),
        ("22:00-07:00", datetime(2026, 5, 4, 13, 0, tzinfo=UTC), True),  # 22:00
        ("22:00-07:00", datetime(2026, 5, 4, 22, 0, tzinfo=UTC), False),  # 07:00
        ("12:00-13:00", DAY, True),
        ("13:00-23:00", DAY, False),
    ],
)
def test_quiet_hours_are_those_of_the_zone(text: str, moment: datetime, held: bool) -> None:
    hours = quiet_hours(text, SEOUL)
    assert hours is not None
    assert hours.hold(moment) is held


def test_no_quiet_hours_are_none_and_bad_ones_an_error() -> None:
    assert quiet_hours("  ", SEOUL) is None
    with pytest.raises(BadHours, match="22:00-07:00"):
        quiet_hours("at night", SEOUL)


def test_high_ones_go_out_in_quiet_hours_only_if_that_is_set() -> None:
    hours = quiet_hours("22:00-07:00", SEOUL)
    assert Rules(hours, quiet_high=False, most_per_hour=9).holds(waiting("high"), NIGHT, 9)
    assert not Rules(hours, quiet_high=True, most_per_hour=9).holds(waiting("high"), NIGHT, 9)
    assert Rules(hours, quiet_high=True, most_per_hour=9).holds(waiting("medium"), NIGHT, 9)
    assert Rules(None, quiet_high=True, most_per_hour=9).holds(waiting("high"), DAY, 0)  # too many


# ---- what ----


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DashboardSettings:
    monkeypatch.chdir(tmp_path)
    return DashboardSettings(ui_language="en", dashboard_url="https://logs.example", company_name="ACME")


def test_a_message_tells_the_worst_first_and_where_to_look(settings: DashboardSettings) -> None:
    low = Finding(**{**as_dict(FINDING), "severity": "low", "kind": "latency_shift", "unit": "ms"})
    message = message_of("opened", [low, FINDING], style_of(settings))
    assert message.title.startswith("ACME: Incident [High] ")
    assert "POST /pay" in message.title
    assert message.title.endswith("and 1 more")
    assert message.body.count("POST /pay") >= 2
    assert "https://logs.example/?last=1h&service=shop" in message.body


def test_a_message_of_what_is_over_leads_to_its_time(settings: DashboardSettings) -> None:
    over = Finding(**{**as_dict(FINDING), "end": DAY + timedelta(minutes=9)})
    message = message_of("closed", [over], style_of(settings))
    assert "Over" in message.title
    assert "start=2026-05-04T03%3A00%2B00%3A00" in message.body
    assert "end=2026-05-04T03%3A09%2B00%3A00" in message.body


def test_a_digest_is_one_message_of_several(settings: DashboardSettings) -> None:
    message = digest_of([("opened", [FINDING]), ("closed", [FINDING]), ("opened", [])], style_of(settings))
    assert "3 messages" in message.title
    assert message.body.count("POST /pay") == 2


def test_a_message_about_nothing_says_so(settings: DashboardSettings) -> None:
    assert "nothing" in message_of("closed", [], style_of(settings)).body


def as_dict(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in finding.__slots__}
