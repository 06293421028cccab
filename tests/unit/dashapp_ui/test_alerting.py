from __future__ import annotations

from datetime import timedelta

import pytest

from dashapp.alerts.desk import Alerting, Channel
from dashapp.components.alerting import channel_table, reason, result_of_test, rules, told_table
from dashapp.words import LANGUAGES, Words
from sql.alerts import Delivered, Told
from tests.unit.dashapp_ui.builders import SEOUL, START, text_of

EN = Words("en")
FAILED = Delivered("JSON example.com", "failed", START, 3, "the channel answered 503")
# As dashapp.alerts.outgoing and dashapp.alerts.channels say them.
ERRORS = (
    "10.0.0.1 is an internal address (ALERT_ALLOW_INTERNAL)",
    "the channel answered 503",
    "no connection",
    "this is no address that Apprise knows",
    "no answer within 60 s",
    "not delivered",
    "sending failed",
)


def alerting(*channels: Channel, on: bool = True, quiet: str = "") -> Alerting:
    return Alerting(on, channels, "medium", quiet, 1, 2, [])


def test_each_channel_has_its_last_result_in_words() -> None:
    found = alerting(Channel("JSON example.com", FAILED), Channel("Slack", None))
    text = text_of(channel_table(found, SEOUL, EN))
    assert "JSON example.com11-23 09:00failed: the channel answered 503" in text
    assert "Slacknone yet-" in text


def test_without_a_channel_it_is_said_which_setting_to_give() -> None:
    assert "ALERT_URLS" in text_of(channel_table(alerting(on=False), SEOUL, EN))
    assert "only tests" not in text_of(rules(alerting(on=False), EN))


def test_the_rules_name_severity_quiet_hours_and_what_waits() -> None:
    found = alerting(Channel("Slack", None), quiet="22:00-07:00")
    assert text_of(rules(found, EN)) == (
        "severity Medium and above · quiet hours 22:00-07:00 · 1 on their way, 2 held back"
    )
    assert "only tests" in text_of(rules(alerting(Channel("Slack", None), on=False), EN))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ["opened", "closed", "digest", "test"])
@pytest.mark.parametrize("state", ["due", "held", "sent", "failed", "dropped"])
def test_every_message_has_words(what: str, state: str, language: str) -> None:
    told = Told(what, "high", None, state, START, START + timedelta(minutes=1))
    assert text_of(told_table([told], SEOUL, Words(language))).startswith("11-23 09:01")
    assert text_of(told_table([], SEOUL, Words(language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", ERRORS)
def test_every_reason_is_told_in_the_language_of_the_page(error: str, language: str) -> None:
    text = reason(error, Words(language))
    assert text
    assert language == "en" or not text.isascii()


def test_a_test_is_told_by_channel_and_a_refusal_says_why() -> None:
    answer = {"channels": [{"name": "Slack", "error": None}, {"name": "JSON x.org", "error": "no connection"}]}
    assert [text_of(line) for line in result_of_test(answer, EN)] == [
        "Slack: sent.",
        "JSON x.org: not sent (no connection).",
    ]
    codes = {
        "too_soon": "again soon",
        "no_channels": "no channel",
        "test_elsewhere": "this machine",
        "x": "not be sent",
    }
    for code, part in codes.items():
        assert part in text_of(result_of_test({"error": {"code": code, "message": ""}}, EN))
