from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from demo.__main__ import main
from demo.endpoints import ENDPOINTS
from demo.incidents import QUIET
from demo.model import Request, iso, requests
from demo.orders import FILE_VARIABLE, Orders, as_ordered, broken, endpoint_of, slowed
from demo.target_server import create_app

NOW = datetime(2026, 9, 16, 6, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path / "orders.json")


@pytest.fixture(scope="module")
def drawn() -> list[Request]:
    return list(requests(NOW, NOW + 3 * TEN, 1, rate=20, plan=QUIET))


def of(name: str, drawn: list[Request]) -> list[Request]:
    return [one for one in drawn if (found := endpoint_of(one)) and found.name == name]


def test_without_a_file_nothing_is_ordered(orders: Orders) -> None:
    assert orders.incidents() == ()
    assert orders.repair() == 0
    assert not orders.path.exists()


def test_an_order_reaches_whoever_reads_the_file(orders: Orders) -> None:
    running = Orders(orders.path)
    assert running.incidents() == ()
    orders.give(broken("checkout", NOW, TEN, share=0.9))
    orders.give(slowed("search", NOW, TEN, factor=4))
    assert [one.endpoint for one in running.incidents()] == ["checkout", "search"]
    assert orders.repair("checkout") == 1
    assert [one.endpoint for one in running.incidents()] == ["search"]
    assert orders.repair() == 1
    assert running.incidents() == ()


def test_what_is_over_leaves_the_file(orders: Orders) -> None:
    orders.give(broken("checkout", NOW, TEN, share=0.9))
    orders.give(broken("login", NOW + TEN, TEN, share=0.9))
    assert [one.endpoint for one in orders.incidents()] == ["login"]


def test_every_drawn_request_belongs_to_one_endpoint(drawn: list[Request]) -> None:
    found = {endpoint.name if (endpoint := endpoint_of(one)) else None for one in drawn}
    assert None not in found
    assert len(found) == len(ENDPOINTS)


def test_a_broken_endpoint_fails_for_as_long_as_ordered_and_no_other_does(drawn: list[Request]) -> None:
    order = broken("checkout", NOW + TEN, TEN, share=0.9)
    went = as_ordered(drawn, (order,), random.Random(1))
    assert [one.id for one in went] == [one.id for one in drawn]
    changed = [after for before, after in zip(drawn, went, strict=True) if after != before]
    struck = [one for one in of("checkout", went) if iso_of(order.start) <= one.timestamp < iso_of(order.end)]
    assert {one.id for one in changed} <= {one.id for one in struck}
    failing = sum(one.status >= 500 for one in struck) / len(struck)
    assert len(struck) > 200
    assert 0.85 < failing < 0.97


def test_a_slowed_endpoint_takes_that_much_longer(drawn: list[Request]) -> None:
    went = as_ordered(drawn, (slowed("search", NOW, 3 * TEN, factor=4),), random.Random(1))
    for before, after in zip(of("search", drawn), of("search", went), strict=True):
        assert after.latency_ms == pytest.approx(4 * before.latency_ms, abs=0.051)
        assert (after.status, after.bytes) == (before.status, before.bytes)


def test_the_target_server_obeys_while_it_runs(orders: Orders, tmp_path: Path) -> None:
    target = create_app(str(tmp_path / "access.log"), plan=QUIET, orders=orders, patience=0.0).test_client()

    def failing() -> int:
        return sum(target.post("/api/order/checkout").status_code >= 500 for _ in range(100))

    assert failing() < 10
    orders.give(broken("checkout", datetime.now(UTC), TEN, share=1.0))
    assert failing() == 100
    orders.repair()
    assert failing() < 10


def test_the_commands_write_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "there" / "orders.json"))
    run = CliRunner().invoke(main, ["break", "checkout", "--minutes", "2"])
    assert run.exit_code == 0, run.output
    assert run.output.startswith("checkout_broken until ")
    run = CliRunner().invoke(main, ["slow", "search", "--factor", "3"])
    assert run.exit_code == 0, run.output
    ordered = Orders(tmp_path / "there" / "orders.json").incidents()
    assert [(one.endpoint, one.end - one.start) for one in ordered] == [
        ("checkout", timedelta(minutes=2)),
        ("search", timedelta(minutes=10)),
    ]
    assert CliRunner().invoke(main, ["repair"]).output == "2 orders taken back\n"
    assert CliRunner().invoke(main, ["break", "nothing"]).exit_code == 2


def iso_of(moment: datetime) -> str:
    return iso(int(moment.timestamp() * 1_000_000))
