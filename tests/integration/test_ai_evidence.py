"""The evidence of a window: every figure is what its query answers, and nothing personal or odd is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.ai.faithful import faithful
from dashapp.ai.checking.judge import judge
from dashapp.ai.evidence import PACK, Figure, Pack
from dashapp.ai.fingerprint import fingerprint
from dashapp.ai.gathering import Asked, gather
from dashapp.ai.prompting import evidence_text
from dashapp.ai.reply import Reply
from dashapp.ai.tokens import rough_tokens
from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.batch import Batch
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import MINUTE, Range
from sql.writing import LogWriter
from tests.trouble import END, SEOUL, WINDOW, trouble

SERVICE = "evidence-shop"


@pytest.fixture(scope="module")
def stored(writer: LogWriter) -> None:
    writer.store(Batch("test", SERVICE, trouble(SERVICE), []))


@pytest.fixture(scope="module")
def pack(stored: None, engine: sa.Engine) -> Pack:
    return gathered(engine)


@pytest.fixture(scope="module")
def client(stored: None, engine: sa.Engine) -> FlaskClient:
    settings = DashboardSettings(_env_file=None, settle_seconds=0)  # type: ignore[call-arg]
    client: FlaskClient = create_app(settings, engine, now=lambda: END + MINUTE).server.test_client()
    return client


def gathered(engine: sa.Engine, whole: Range = WINDOW, **more: Any) -> Pack:
    asked = Asked(whole, Filters(service=SERVICE), {"service": SERVICE}, SEOUL, END, **more)
    with snapshot(engine) as reading:
        return gather(reading, asked)[0]


def test_every_figure_is_what_its_query_answers(pack: Pack, client: FlaskClient) -> None:
    answers: dict[str, Any] = {}
    unknown = []
    for figure in pack.figures.values():
        if figure.unit in ("time", "change"):
            continue
        if figure.query not in answers:
            answer = client.get(figure.query)
            assert answer.status_code == 200, figure.query
            answers[figure.query] = answer.get_json()
        if not says(answers[figure.query], figure):
            unknown.append(figure)
    assert unknown == []
    assert len(pack.figures) > 40


def says(answer: dict[str, Any], figure: Figure) -> bool:
    """Whether an answer of the API holds a figure: a summary by its name, anything else anywhere in it."""
    path = urlsplit(figure.query).path
    if path.endswith("/summary"):
        known = {
            "requests": answer["total"], "errors": answer["errors"], "client_errors": answer["client_errors"],
            "server_errors": answer["server_errors"], "error_rate": answer["error_rate"], **answer["latency_ms"],
        }  # fmt: skip
        if figure.measure == "share":  # of the whole, which the same query without its last filter answers
            return 0 < figure.value <= 1
        return bool(known[figure.measure] == pytest.approx(figure.value))
    numbers = [
        number
        for number in numbers_in(answer)
        if number == pytest.approx(figure.value, abs=0.5 if path.endswith("/changes") else 1e-9)
    ]
    return bool(numbers)


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers_in(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def test_every_link_leads_to_a_page_with_the_same_filters(pack: Pack) -> None:
    for figure in pack.figures.values():
        link, query = parse_qs(urlsplit(figure.link).query), parse_qs(urlsplit(figure.query).query)
        assert figure.link.startswith("/")
        assert link["service"] == [SERVICE]
        assert link.get("method") == query.get("method") or "/anomalies" in figure.query
        assert "start" in link


def test_it_names_the_trouble_its_cause_and_who_has_it(pack: Pack) -> None:
    text = evidence_text(pack)
    assert "POST /api/pay" in pack.endpoints
    assert {*pack.statuses[""]} == {200, 401, 504}
    failed = next(line for line in pack.lines if line.startswith("failed requests of POST /api/pay"))
    assert "version=5.2.1 100.00%" in failed or "product = ShopApp/5.2.1" in failed
    assert "203.0.113.77" not in text
    assert "10.2.0.9" not in text
    assert any(name.value == "203.0.113.77" for name in pack.pseudonyms.values())


def test_it_is_small_and_kept_as_it_is(pack: Pack) -> None:
    assert rough_tokens(evidence_text(pack)) <= 3_000
    assert PACK.validate_python(json.loads(json.dumps(PACK.dump_python(pack, mode="json")))) == pack


@pytest.mark.parametrize("korean", [True, False])
def test_a_faithful_reply_passes_whole(pack: Pack, korean: bool) -> None:
    reply = Reply.model_validate(faithful(pack.lines, korean=korean))
    result = judge(reply, pack)
    assert result.removed == []
    assert len(result.insights) == len(reply.insights) > 0
    assert result.confirmed > 5


def test_addresses_are_sent_only_if_the_settings_say_so(stored: None, engine: sa.Engine) -> None:
    assert "203.0.113.77" in evidence_text(gathered(engine, send_addresses=True))


def test_the_fingerprint_is_of_the_data_not_of_the_clock(pack: Pack, engine: sa.Engine) -> None:
    again = gathered(engine)
    later = gathered(engine, Range(WINDOW.start - MINUTE, WINDOW.end - MINUTE))
    assert fingerprint(again, {}, "ko") == fingerprint(pack, {}, "ko")
    assert fingerprint(later, {}, "ko") != fingerprint(pack, {}, "ko")
    assert fingerprint(pack, {}, "en") != fingerprint(pack, {}, "ko")
    assert fingerprint(pack, {"status": "5xx"}, "ko") != fingerprint(pack, {}, "ko")


def test_an_empty_window_has_no_requests(stored: None, engine: sa.Engine) -> None:
    empty = gathered(engine, Range(END + timedelta(days=400), END + timedelta(days=400, minutes=5)))
    assert empty.total == 0
    assert empty.endpoints == {}
