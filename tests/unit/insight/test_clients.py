"""Clients that probe, guess, read everything or call too often are named; people and polite robots are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from dashapp.insight.clients import ClientWatch
from dashapp.insight.finding import Finding
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import ClientMinute
from tests.unit.insight.minutes import MINUTE, PEOPLE, ROBOT, START, Call, Planted, client_minute, days

AT = 300  # the minute in which what is planted begins
WHO = "203.0.113.9"
TOOL = "python-requests/2.31"


def watched(minutes: Iterable[ClientMinute]) -> list[Change]:
    watch = ClientWatch()
    return [change for minute in minutes for change in watch.step(minute)]


def opened(changes: Sequence[Change]) -> list[Finding]:
    return [change.finding for change in changes if change.what == "opened"]


def planted(rate: float, length: int, call: Planted) -> Planted:
    def calls(minute: int, draw: np.random.Generator) -> Iterable[Call]:
        if AT <= minute < AT + length:
            for _ in range(draw.poisson(rate)):
                yield from call(minute, draw)

    return calls


def probes(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    path = f"/{draw.integers(10**6)}.php"
    yield Call(WHO, path, 404 if draw.random() < 0.9 else 403, path, agent="sqlmap/1.7")


def probes_of_one_route(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(WHO, "{other}", 404, f"/{draw.integers(10**6)}.php", agent="sqlmap/1.7")


def guesses(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(WHO, "/login", 401, method="POST", agent=TOOL)


def guesses_of_many(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(f"203.0.113.{draw.integers(1, 200)}", "/login", 401, method="POST", agent=TOOL)


def reads(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(WHO, "/item/{id}", 200, f"/item/{draw.integers(10**7)}", agent=TOOL)


def orders(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(WHO, "/cart", 200, method="POST", agent=TOOL)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kind", "call", "rate", "length", "latest"),
    [
        ("scanner", probes, 60, 10, 2),
        ("scanner", probes, 6, 20, 5),
        ("scanner", probes, 1, 120, 60),
        ("scanner", probes_of_one_route, 10, 20, 4),
        ("credential_guessing", guesses, 30, 10, 3),
        ("credential_guessing", guesses, 5, 20, 8),
        ("credential_guessing", guesses, 1, 90, 60),
        ("credential_guessing", guesses_of_many, 30, 20, 4),
        ("scraper", reads, 120, 30, 6),
        ("scraper", reads, 60, 30, 6),
        ("client_volume", orders, 200, 20, 5),
    ],
)
def test_what_was_planted_is_named(seed: int, kind: str, call: Planted, rate: float, length: int, latest: int) -> None:
    changes = watched(days(seed, AT + length + 30, planted(rate, length, call)))
    (found,) = opened(changes)
    at = START + AT * MINUTE
    assert found.kind == kind
    assert found.subject.service == "shop"
    if call is guesses_of_many:
        assert found.subject.network == "203.0.113.0/24"
    else:
        assert found.subject.client_ip == WHO
    assert abs(found.start - at) <= 2 * MINUTE
    assert found.n > 0
    assert found.p is not None
    assert found.p < 1e-7
    assert all(each.query.startswith("/api/stats/") for each in found.evidence)
    assert first_told(days(seed, AT + length, planted(rate, length, call))) - AT <= latest
    closed = [change for change in changes if change.what == "closed"]
    assert [change.key for change in closed] == [change.key for change in changes if change.what == "opened"]
    end = closed[0].finding.end
    assert end is not None
    assert abs(end - (at + length * MINUTE)) <= 3 * MINUTE


def first_told(minutes: Iterable[ClientMinute]) -> int:
    """Number of the minute after which the first finding opened."""
    watch = ClientWatch()
    return next(i for i, minute in enumerate(minutes) if any(change.what == "opened" for change in watch.step(minute)))


def test_a_finding_says_what_was_done() -> None:
    changes = watched(days(1, AT + 40, planted(30, 10, probes)))
    found = next(change.finding for change in changes if change.what == "closed")
    assert found.facts["user_agent"] == "sqlmap/1.7"
    assert found.facts["client_type"] == "script"
    assert found.facts["statuses"].startswith("404 (")
    assert found.facts["endpoints"].startswith("GET /")
    evidence = {each.name: each.value for each in found.evidence}
    assert evidence["requests"] == found.n
    assert evidence["missing_paths"] == found.observed
    assert evidence["missing"] <= evidence["requests"]
    assert 0 < evidence["share_of_traffic"] < 1


def test_a_login_that_succeeds_at_last_makes_it_severe() -> None:
    def calls(minute: int, draw: np.random.Generator) -> Iterable[Call]:
        yield from guesses(minute, draw)
        if minute == AT + 9:
            yield Call(WHO, "/login", 200, method="POST", agent=TOOL)

    changes = watched(days(1, AT + 40, planted(6, 10, calls)))
    assert opened(changes)[0].severity == "medium"
    assert changes[-1].finding.severity == "high"


# ---- what is no finding ----


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("per_minute", [6, 60])
def test_quiet_days_have_none(seed: int, per_minute: float) -> None:
    assert watched(days(seed + 50, 1_440, per_minute=per_minute)) == []


def forgets(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    if minute < AT + 3:
        for _ in range(4):
            yield Call(WHO, "/login", 401, method="POST")


def an_office(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    for _ in range(draw.geometric(0.6) - 1):
        yield Call(WHO, "/login", 401, method="POST")
    yield Call(WHO, "/login", 200, method="POST")


def broken_login(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    yield Call(f"198.51.{int(draw.zipf(1.3)) % 30}.9", "/login", 401, method="POST")


def broken_images(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    path = f"/image/{draw.integers(10**5)}"
    yield Call(f"198.51.{int(draw.zipf(1.3)) % 30}.9", "/image/{id}", 404, path)


def polls(minute: int, draw: np.random.Generator) -> Iterable[Call]:
    for page in range(25):
        yield Call(WHO, f"/page/{page}", 404, agent=TOOL)


@pytest.mark.parametrize(
    ("call", "rate"),
    [(forgets, 1), (an_office, 4), (broken_login, 60), (broken_images, 60)],
    ids=["forgetting", "office", "broken login", "broken images"],
)
def test_what_people_suffer_is_no_attack(call: Planted, rate: float) -> None:
    found = opened(watched(days(2, AT + 60, planted(rate, 20, call))))
    assert [each.kind for each in found if each.kind in ("scanner", "credential_guessing")] == []


def test_a_robot_that_says_so_may_find_old_paths_missing() -> None:
    def crawls(minute: int, draw: np.random.Generator) -> Iterable[Call]:
        path = f"/old/{draw.integers(10**6)}"
        yield Call("66.249.66.7", path, 404 if draw.random() < 0.7 else 200, path, agent=ROBOT)

    assert opened(watched(days(3, AT + 60, planted(3, 40, crawls)))) == []


def test_a_partner_who_always_reads_much_is_known() -> None:
    assert opened(watched(days(4, 600))) == []


def test_what_comes_back_is_known_by_its_volume() -> None:
    def nightly(minute: int, draw: np.random.Generator) -> Iterable[Call]:
        if 300 <= minute % 1440 < 330:
            for _ in range(draw.poisson(300)):
                yield Call(WHO, "/cart", 200, method="POST", agent=TOOL)

    found = opened(watched(days(5, 2 * 1440, nightly, per_minute=20)))
    assert [each.kind for each in found] == ["client_volume"]


# ---- bad input ----


def test_little_or_nothing_is_no_finding() -> None:
    empty = client_minute(START, [])
    ten = client_minute(START + MINUTE, [Call(WHO, f"/{i}", 404) for i in range(10)])
    assert watched([empty, ten]) == []


def test_all_failed_names_nobody_among_many() -> None:
    draw = np.random.default_rng(1)
    minutes = [
        client_minute(
            START + i * MINUTE,
            [Call(f"10.{draw.integers(40)}.0.1", "/login", 500, method="POST", agent=None) for _ in range(100)],
        )
        for i in range(200)
    ]
    assert opened(watched(minutes)) == []


def test_a_clock_that_jumps_and_gaps_do_no_harm() -> None:
    first = list(days(1, 60, per_minute=20))
    again = list(days(2, 60, per_minute=20))
    later = [
        client_minute(START + timedelta(days=3) + i * MINUTE, [Call(WHO, f"/{i}-{k}", 404) for k in range(30)])
        for i in range(30)
    ]
    changes = watched([*first, *again, *later, *first])
    assert [change.what for change in changes if change.what != "updated"] == ["opened", "closed"]


def test_wide_buckets_are_read_as_well() -> None:
    hour = timedelta(hours=1)
    minutes = [
        client_minute(
            START + i * hour,
            [
                *(Call(f"10.0.{k % 30}.{k % 200}", "/item/{id}", 200, f"/item/{k}", agent=PEOPLE) for k in range(600)),
                *(Call(WHO, f"/{i}-{k}.php", 404) for k in range(80 if i == 20 else 0)),
            ],
            hour,
        )
        for i in range(30)
    ]
    (found,) = opened(watched(minutes))
    assert (found.kind, found.subject.client_ip, found.start) == ("scanner", WHO, START + 20 * hour)


def test_ipv6_networks_are_named_by_48_bits() -> None:
    def calls(minute: int, draw: np.random.Generator) -> Iterable[Call]:
        path = f"/{draw.integers(10**6)}"
        yield Call(f"2001:db8:7:{draw.integers(1, 99):x}::{draw.integers(1, 99):x}", path, 404, path)

    found = opened(watched(days(1, AT + 30, planted(40, 10, calls))))
    assert [each.subject.network for each in found] == ["2001:db8:7::/48"]
    assert ip_address("2001:db8:7:1::1") in ip_network(found[0].subject.network or "")


def test_times_are_those_of_the_minutes() -> None:
    changes = watched(days(1, AT + 40, planted(60, 10, probes)))
    assert all(isinstance(change.finding.start, datetime) for change in changes)
    assert {change.finding.end is None for change in changes if change.what == "opened"} == {True}
