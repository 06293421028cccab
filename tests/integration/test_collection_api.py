"""What arrived, as the read API says it: the equation everywhere, refused requests, and the quarantine by pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.stats import collection
from sql.batch import OTHER_ROUTES, Batch, LogRow, Quarantined
from sql.connection import reading_engine, writing_pool
from sql.ledger import Ledger, Limits
from sql.writing import LogWriter

Connection = psycopg.Connection[tuple[object, ...]]
MakeRow = Callable[..., LogRow]
COUNTS = ("received", "stored", "duplicate", "quarantined")


def client_of(engine: sa.Engine, moment: datetime | None = None) -> FlaskClient:
    app = Flask(__name__)
    settings, unshared = DashboardSettings(), Shared(seconds=0)
    app.register_blueprint(api_blueprint(settings, engine, now=lambda: moment or datetime.now(UTC), shared=unshared))
    return app.test_client()


@pytest.fixture
def client(engine: sa.Engine) -> FlaskClient:
    return client_of(engine)


def get(client: FlaskClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/{path}", query_string=parameters)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    return answer.get_json()


def sources(client: FlaskClient, **parameters: Any) -> Any:
    """The answer, after a look at the equation in each of its elements."""
    answer = get(client, "collection/sources", **parameters)
    for element in (answer["totals"], *answer["sources"], *answer["minutes"]):
        assert element["received"] == element["stored"] + element["duplicate"] + element["quarantined"]
    for element in (answer["totals"], *answer["sources"]):
        assert sum(element["quarantined_by_kind"].values()) == element["quarantined"]
    if not answer["truncated"]:
        for name in (*COUNTS, "bytes"):
            sums = {sum(element[name] for element in answer[which]) for which in ("sources", "minutes")}
            assert sums == {answer["totals"][name]}
    return answer


def counts(element: Any) -> tuple[int, ...]:
    return tuple(element[name] for name in COUNTS)


@pytest.fixture
def sent(writer: LogWriter, service: str, make_row: MakeRow) -> str:
    """Two sources of a service, one of them with everything; returns the name of that source."""
    source = f"web@{service}"
    ago = datetime.now(UTC) - timedelta(seconds=30)
    rows = [make_row(ts=ago + timedelta(seconds=n), record_key=bytes([n]) * 16) for n in range(4)]
    bad = [Quarantined("no_path", "path is missing", b"{}"), Quarantined("unreadable", "no JSON", b"\xff")]
    writer.store(Batch(source, service, rows, bad, size=600))
    writer.store(Batch(source, service, rows[:3], [bad[0]], size=300))
    writer.store(Batch(f"api@{service}", service, [make_row(ts=ago)], [], size=50))
    return source


def test_sources_sum_by_source_and_service(client: FlaskClient, sent: str, service: str) -> None:
    answer = sources(client, service=service)
    first, second = answer["sources"]
    assert (first["source"], first["service"], counts(first)) == (sent, service, (10, 4, 3, 3))
    assert first["quarantined_by_kind"] == {"no_path": 2, "unreadable": 1}
    assert first["bytes"] == 900
    assert 25 < first["lag_s"]["mean"] < first["lag_s"]["max"] < 60
    assert (second["source"], counts(second)) == (f"api@{service}", (1, 1, 0, 0))
    assert counts(answer["totals"]) == (11, 5, 3, 3)
    assert not answer["truncated"]


def test_sources_say_when_and_how_fast(client: FlaskClient, sent: str) -> None:
    (source,) = sources(client, source=sent)["sources"]
    first, last = (datetime.fromisoformat(source[name]) for name in ("first_arrival", "last_arrival"))
    assert first < last <= datetime.now(UTC) + timedelta(seconds=1)
    assert source["first_arrival"].endswith("Z")
    assert 10 / 5 <= source["rate_per_minute"] <= 10 / 4


def test_rate_is_zero_for_a_source_that_fell_silent(engine: sa.Engine, sent: str) -> None:
    later = client_of(engine, datetime.now(UTC) + timedelta(minutes=6))
    (source,) = sources(later, source=sent)["sources"]
    assert source["rate_per_minute"] == 0
    assert source["received"] == 10


def test_sources_are_of_the_range_of_arrival(client: FlaskClient, sent: str) -> None:
    hour = timedelta(hours=1)
    past = datetime.now(UTC) - hour
    before = {"start": (past - hour).isoformat(), "end": past.isoformat()}
    assert sources(client, source=sent, **before)["sources"] == []
    assert counts(
        sources(client, source=sent, start=past.isoformat(), end=(past + 2 * hour).isoformat())["totals"]
    ) == (
        10,
        4,
        3,
        3,
    )
    assert counts(sources(client, source=sent, last="5m")["totals"]) == (10, 4, 3, 3)


def test_sources_of_no_arrival_have_nothing_and_no_lag(client: FlaskClient) -> None:
    totals = sources(client, source="nobody")["totals"]
    assert counts(totals) == (0, 0, 0, 0)
    assert totals["lag_s"] == {"mean": None, "max": None}
    assert totals["first_arrival"] is None


def test_sources_answer_with_whole_minutes(client: FlaskClient) -> None:
    answer = sources(client, start="2024-05-01T10:00:30+09:00", end="2024-05-01T10:02:01+09:00")
    assert (answer["start"], answer["end"]) == ("2024-05-01T01:00:00Z", "2024-05-01T01:03:00Z")


def test_sources_stay_the_same_when_minutes_are_summed_up(
    client: FlaskClient, sent: str, service: str, dsn: str, connection: Connection
) -> None:
    connection.execute(
        "update ingest_ledger set minute = minute - interval '10 minutes' where service = %s", (service,)
    )
    before = sources(client, service=service)
    with writing_pool(dsn, max_size=1) as pool:
        Ledger(pool).tidy(Limits())
    after = sources(client, service=service)
    assert after["sources"] == before["sources"]
    assert after["minutes"] == before["minutes"]


def test_minutes_are_the_newest_and_cut_with_a_flag(
    client: FlaskClient, sent: str, service: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(
        "update ingest_ledger set minute = minute - interval '3 minutes' where source = %s and kind <> ''", (sent,)
    )
    whole = sources(client, source=sent)
    monkeypatch.setattr(collection, "MOST_MINUTES", 1)
    answer = sources(client, source=sent)
    assert (answer["truncated"], answer["truncated_lists"]) == (True, ["minutes"])
    assert answer["minutes"] == whole["minutes"][:1]
    assert counts(answer["totals"]) == (10, 4, 3, 3)
    monkeypatch.setattr(collection, "MOST_SOURCES", 1)
    assert "sources" in sources(client, service=service)["truncated_lists"]


def test_refused_requests_are_counted_by_reason_and_source(client: FlaskClient, dsn: str, service: str) -> None:
    with writing_pool(dsn, max_size=1) as pool:
        ledger = Ledger(pool)
        for reason in ("bad_token", "bad_token", "too_large"):
            ledger.refused(f"web@{service}", reason)
        ledger.flush()
    answer = sources(client, source=f"web@{service}")
    assert [(each["reason"], each["requests"]) for each in answer["refused"]] == [("bad_token", 2), ("too_large", 1)]
    assert answer["totals"]["refused_requests"] == 3


# ---- quarantine ----


def test_quarantine_shows_a_record_and_why(client: FlaskClient, sent: str, service: str) -> None:
    answer = get(client, "collection/quarantine", source=sent, kind="unreadable")
    (record,) = answer["records"]
    assert record.pop("id") > 0
    assert record.pop("received_at").endswith("Z")
    assert record == {
        "source": sent,
        "service": service,
        "kind": "unreadable",
        "reason": "no JSON",
        "size": 1,
        "truncated": False,
        "record": "\ufffd",
        "record_cut": False,
        "raw": None,
    }
    assert answer["next_before"] is None


def test_quarantine_gives_raw_bytes_only_when_asked(client: FlaskClient, sent: str) -> None:
    (record,) = get(client, "collection/quarantine", source=sent, kind="unreadable", raw=1)["records"]
    assert base64.b64decode(record["raw"]) == b"\xff"


def test_quarantine_pages_are_newest_first_and_complete(client: FlaskClient, writer: LogWriter, service: str) -> None:
    held = [Quarantined("no_path", "path is missing", b"%d" % n) for n in range(7)]
    writer.store(Batch(f"page@{service}", service, [], held))
    found: list[str] = []
    before: dict[str, int] = {}
    while True:
        page = get(client, "collection/quarantine", source=f"page@{service}", limit=3, **before)
        found += [record["record"] for record in page["records"]]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert found == ["6", "5", "4", "3", "2", "1", "0"]


def test_quarantine_cuts_a_long_text_between_characters(client: FlaskClient, writer: LogWriter, service: str) -> None:
    text = "a" + "가" * 2_000
    held = [Quarantined("unreadable", "x", text.encode()), Quarantined("unreadable", "x", b"y" * 1_100_000)]
    writer.store(Batch(f"long@{service}", service, [], held))
    cut, korean = get(client, "collection/quarantine", source=f"long@{service}")["records"]
    assert korean["record_cut"]
    assert not korean["truncated"]
    assert text.startswith(korean["record"])
    assert len(korean["record"].encode()) > 4_000
    assert (cut["truncated"], cut["size"], len(cut["record"])) == (True, 1_100_000, 4_096)
    raw = get(client, "collection/quarantine", source=f"long@{service}", raw=1)["records"][1]["raw"]
    assert base64.b64decode(raw) == text.encode()


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        pytest.param("sources", {"start": "2024-05-01T00:00:00Z"}, id="start alone"),
        pytest.param("sources", {"start": "yesterday", "end": "2024-05-01T00:00:00Z"}, id="no time"),
        pytest.param("sources", {"start": "2024-05-01T00:00:00", "end": "2024-05-01T01:00:00"}, id="no offset"),
        pytest.param("sources", {"service": "a\x00"}, id="NUL"),
        pytest.param("quarantine", {"limit": "0"}, id="limit 0"),
        pytest.param("quarantine", {"limit": "501"}, id="limit too large"),
        pytest.param("quarantine", {"limit": "21", "raw": "1"}, id="limit of raw"),
        pytest.param("quarantine", {"before": "-1"}, id="before"),
        pytest.param("quarantine", {"before": "9" * 30}, id="before too large"),
        pytest.param("quarantine", {"raw": "yes"}, id="raw"),
        pytest.param("quarantine", {"kind": "a\x00"}, id="NUL in kind"),
    ],
)
def test_what_cannot_be_meant_is_400(client: FlaskClient, path: str, parameters: dict[str, str]) -> None:
    answer = client.get(f"/api/collection/{path}", query_string=parameters)
    assert answer.status_code == 400
    assert set(answer.get_json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("path", ["sources", "quarantine"])
def test_a_database_that_is_away_is_503(closed_port_dsn: str, path: str) -> None:
    engine = reading_engine(closed_port_dsn)
    answer = client_of(engine).get(f"/api/collection/{path}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    engine.dispose()


# ---- routes ----


def usage_routes(client: FlaskClient, service: str, **parameters: Any) -> Any:
    whole = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    return get(client, "stats/usage", service=service, **whole, **parameters)["routes"]


def test_usage_says_when_routes_were_summed(
    client: FlaskClient, writer: LogWriter, service: str, make_row: MakeRow
) -> None:
    rows = [make_row(path=f"/{n}", route=route) for n, route in enumerate(["/a", "/a", "/b"])]
    writer.store(Batch("web", service, rows, []))
    assert usage_routes(client, service) == {"kept": 2, "capped": False}
    writer.store(Batch("web", service, [make_row(path="/x", route=OTHER_ROUTES)], []))
    assert usage_routes(client, service) == {"kept": 2, "capped": True}
    assert usage_routes(client, service, limit=1) == {"kept": 2, "capped": True}
    assert usage_routes(client, service, by="path") == {"kept": 2, "capped": False}
    assert usage_routes(client, service, method="POST") == {"kept": 2, "capped": False}


def test_answers_are_json_that_any_reader_takes(client: FlaskClient, sent: str) -> None:
    answer = client.get("/api/collection/sources", query_string={"source": sent})
    json.loads(answer.data, parse_constant=lambda word: pytest.fail(f"{word} in an answer"))
