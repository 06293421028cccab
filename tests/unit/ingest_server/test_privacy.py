"""What is taken away before a row is stored, and that it is still the same record."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from ingest_server.horizon import everything
from ingest_server.intake import Intake, Origin
from ingest_server.privacy import Privacy
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from ingest_server.settings import IngestSettings

NOW = 1_764_000_000_000_000
KEY = b"a key that nobody guesses"
RECORD: dict[str, Any] = {
    "timestamp": "2025-07-01T09:00:00Z", "method": "GET", "path": "/users/kim@example.com?token=s3cret", "status": 200,
    "client_ip": "203.0.113.77", "user_agent": "app/1.0 kim@example.com", "referer": "https://example.com/kim@example.com",
    "_id": "one", "x_forwarded_for": "203.0.113.77, 10.0.0.1", "note": "by kim@example.com", "version": "1.2.3.4-beta",
    "nested": {"token": "s3cret", "by": ["kim@example.com"]},
}  # fmt: skip
MAIL = re.compile(r"[\w.]+@[\w.]+")


def row_of(privacy: Privacy, **changes: Any) -> Any:
    intake = Intake(RouteBook(RouteRules.default(), 100, list), everything(), privacy)
    batch = intake.batch(json.dumps(RECORD | changes).encode(), Origin("test", "shop"), NOW)
    assert not batch.quarantined
    return batch.rows[0]


def test_whole_is_as_it_came() -> None:
    row = row_of(Privacy())
    assert (row.client_ip, row.path) == ("203.0.113.77", "/users/kim@example.com")
    assert json.loads(row.attributes)["query"] == "token=s3cret"


@pytest.mark.parametrize(
    ("given_ip", "kept"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3::4", "2001:db8:1::"), ("10.0.0.0", "10.0.0.0")],
)
def test_truncated_is_the_network(given_ip: str, kept: str) -> None:
    row = row_of(Privacy("truncated"), client_ip=given_ip)
    assert row.client_ip == kept
    attributes = json.loads(row.attributes)
    assert attributes["x_forwarded_for"] == "203.0.113.0, 10.0.0.0"
    assert attributes["version"] == "1.2.3.4-beta"


def test_hashed_tells_clients_apart_and_names_none() -> None:
    privacy = Privacy("hashed", KEY)
    one, same, other = (
        row_of(privacy, client_ip=ip).client_ip for ip in ("203.0.113.77", "203.0.113.77", "203.0.113.78")
    )
    assert one == same != other
    assert one.startswith("fd")
    assert "203.0.113" not in repr(row_of(privacy))
    assert row_of(Privacy("hashed", KEY + b"!")).client_ip != one


@given(st.sets(st.ip_addresses(), min_size=2, max_size=30))
def test_no_two_clients_become_one(addresses: set[Any]) -> None:
    privacy = Privacy("hashed", KEY)
    assert len({privacy.address(str(each)) for each in addresses}) == len(addresses)


def test_fields_and_the_query_are_dropped() -> None:
    row = row_of(Privacy(dropped={"user_agent", "referer", "query", "token"}))
    assert (row.user_agent, row.referer) == (None, None)
    assert "s3cret" not in repr(row)
    assert json.loads(row.attributes)["nested"] == {"by": ["kim@example.com"]}


def test_what_looks_like_a_secret_is_masked_everywhere() -> None:
    row = row_of(Privacy(masks=[MAIL]))
    assert "kim@example.com" not in repr(row)
    assert (row.path, row.user_agent) == ("/users/***", "app/1.0 ***")
    assert json.loads(row.attributes)["nested"]["by"] == ["***"]


def test_a_record_that_is_sent_again_is_known_whatever_is_kept_of_it() -> None:
    kept = [Privacy(), Privacy("truncated"), Privacy("hashed", KEY), Privacy(dropped={"user_agent"}, masks=[MAIL])]
    assert len({row_of(privacy).record_key for privacy in kept}) == 1
    placed = [row_of(privacy, _id=None, file="/var/log/a", offset=5, host_name="web1").record_key for privacy in kept]
    assert None not in placed
    assert len(set(placed)) == 1


def test_settings_say_what_is_wrong() -> None:
    def settings(**given: Any) -> IngestSettings:
        return IngestSettings(_env_file=None, **given)  # type: ignore[call-arg]

    with pytest.raises(ValidationError, match="needs a CLIENT_KEY of 16 characters"):
        settings(client_addresses="hashed", client_key=SecretStr("short"))
    with pytest.raises(ValidationError, match="is no regular expression"):
        settings(mask_patterns="ok (")
    privacy = settings(drop_fields="user_agent, query", mask_patterns=r"\d{6}-\d{7} x+").privacy()
    assert set(privacy.dropped) == {"user_agent", "query"}
    assert [each.pattern for each in privacy.masks] == [r"\d{6}-\d{7}", "x+"]
    assert settings().privacy().keeps_all
