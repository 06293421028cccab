from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np
import pytest

from demo.clients import population
from demo.draw import epoch_us
from demo.endpoints import ENDPOINTS, SERVICES, calls_per_entry
from demo.incidents import QUIET, planted
from demo.model import RATE_PER_S, Request, iso, ndjson, requests
from demo.rhythm import ZONE, intensity

# A Tuesday and the Wednesday after it, with the end in the afternoon of Seoul.
END = datetime(2026, 9, 16, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
REQUIRED = {"timestamp", "service", "method", "path", "status", "latency_ms", "bytes", "client_ip", "user_agent", "_id"}
ALLOWED = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@pytest.fixture(scope="module")
def day() -> list[Request]:
    return list(requests(END - DAY, END, 11))


def during(found: list[Request], start: datetime, end: datetime) -> list[Request]:
    return [one for one in found if iso(epoch_us(start)) <= one.timestamp < iso(epoch_us(end))]


def to_path(found: list[Request], path: str) -> list[Request]:
    return [one for one in found if urlsplit(one.path).path == path]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    hour = timedelta(hours=1)
    first = ndjson(list(requests(END - hour, END, 3)))
    assert first == ndjson(list(requests(END - hour, END, 3)))
    assert first != ndjson(list(requests(END - hour, END, 4)))


def test_a_range_in_pieces_is_the_same_traffic(day: list[Request]) -> None:
    plan = planted(END)
    cuts = [END - DAY, END - timedelta(hours=9, minutes=17), END - timedelta(minutes=41, microseconds=7), END]
    pieces = [one for a, b in itertools.pairwise(cuts) for one in requests(a, b, 11, plan=plan)]
    assert pieces == day


def test_records_are_in_time_order_and_in_range(day: list[Request]) -> None:
    times = [one.timestamp for one in day]
    assert times == sorted(times)
    assert iso(epoch_us(END - DAY)) <= times[0]
    assert times[-1] < iso(epoch_us(END))


def test_an_empty_range_holds_nothing() -> None:
    assert list(requests(END, END, 1)) == []


def test_lines_are_json_objects_with_the_canonical_keys(day: list[Request]) -> None:
    lines = ndjson(day).splitlines()
    assert len(lines) == len(day)
    for line in lines[::97]:
        record = json.loads(line)
        assert record.keys() >= REQUIRED
        assert record["service"] in SERVICES
        assert 100 <= record["status"] <= 599
        assert record["latency_ms"] > 0
        assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None
        assert record["timestamp"].endswith("Z")
        assert record["path"].startswith("/")
        assert record["path"].isascii()
        assert list(record)[-1] == "_id"


def test_ids_are_unique(day: list[Request]) -> None:
    assert len({one.id for one in day}) == len(day)


def test_every_address_is_private_or_for_documentation(day: list[Request]) -> None:
    for address in {one.client_ip for one in day}:
        assert any(ipaddress.ip_address(address) in network for network in ALLOWED), address


def test_a_working_day_has_the_declared_rate(day: list[Request]) -> None:
    assert len(day) == pytest.approx(RATE_PER_S * DAY.total_seconds(), rel=0.05)


def test_the_rate_can_be_chosen() -> None:
    found = list(requests(END - DAY, END, 1, rate=0.3, plan=QUIET))
    assert len(found) == pytest.approx(0.3 * DAY.total_seconds(), rel=0.06)


def test_each_endpoint_has_its_declared_share(day: list[Request]) -> None:
    expected = calls_per_entry() / calls_per_entry().sum()
    patterns = [
        (endpoint, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(endpoint.path.partition("?")[0]))))
        for endpoint in ENDPOINTS
    ]
    counts: Counter[str] = Counter()
    for method, path in ((one.method, urlsplit(one.path).path) for one in day):
        # Literal paths win over those with an id, as in a router.
        fitting = [e for e, pattern in patterns if e.method == method and pattern.fullmatch(path)]
        if fitting:
            counts[min(fitting, key=lambda e: e.path.count("{") if "?" not in e.path else 0).name] += 1
    for endpoint, share in zip(ENDPOINTS, expected, strict=True):
        assert counts[endpoint.name] / len(day) == pytest.approx(share, rel=0.15, abs=0.001), endpoint.name


def test_response_times_are_near_the_declared_median(day: list[Request]) -> None:
    found = [one.latency_ms for one in to_path(day, "/api/user/list") if one.status == 200]
    assert float(np.median(found)) == pytest.approx(101, rel=0.08)


def test_the_evening_is_busier_than_the_night(day: list[Request]) -> None:
    hours = Counter(datetime.fromisoformat(one.timestamp).astimezone(ZONE).hour for one in day)
    assert hours[21] > 3 * hours[4]
    assert hours[12] > 2 * hours[4]
    assert min(hours, key=lambda hour: hours[hour]) in (3, 4, 5)
    assert max(hours, key=lambda hour: hours[hour]) in (20, 21)


def test_the_rhythm_averages_to_one_and_rests_at_the_weekend() -> None:
    def mean(midnight: datetime) -> float:
        return float(
            np.mean([intensity(midnight.timestamp() + h * 3600 + np.arange(0.0, 3600, 60)) for h in range(24)])
        )

    tuesday, saturday = datetime(2026, 9, 15, tzinfo=ZONE), datetime(2026, 9, 19, tzinfo=ZONE)
    assert mean(tuesday) == pytest.approx(1, abs=0.01)
    assert mean(saturday) == pytest.approx(0.8, abs=0.01)
    assert intensity(np.empty(0)).size == 0


def test_few_clients_make_much_of_the_traffic(day: list[Request]) -> None:
    counts = sorted(Counter((one.client_ip, one.user_agent) for one in day).values(), reverse=True)
    assert len(counts) > 1_000
    assert 0.2 < sum(counts[: len(counts) // 10]) / len(day) < 0.6


def test_the_population_has_every_kind_of_client() -> None:
    assert {client.kind for client in population().clients} == {"browser", "app", "bot", "script"}
    versions = {client.app_version for client in population().clients if client.kind == "app"}
    assert {"4.2.0", "4.2.1"} <= versions


def test_the_checkout_incident_strikes_one_version_for_25_minutes(day: list[Request]) -> None:
    start, end = END - timedelta(minutes=50), END - timedelta(minutes=25)
    struck = to_path(during(day, start, end), "/api/order/checkout")
    failed = [one for one in struck if one.status in (502, 504) and one.latency_ms >= 3000]
    assert 0.10 < len(failed) / len(struck) < 0.25
    assert {one.app_version for one in failed} == {"4.2.1"}
    calm = to_path(during(day, END - timedelta(hours=3), start), "/api/order/checkout")
    assert sum(one.status >= 500 for one in calm) / len(calm) < 0.02


def test_the_search_incident_doubles_p95(day: list[Request]) -> None:
    start, end = END - timedelta(hours=8, minutes=30), END - timedelta(hours=8)
    struck = [one.latency_ms for one in to_path(during(day, start, end), "/api/search")]
    before = [one.latency_ms for one in to_path(during(day, start - timedelta(hours=1), start), "/api/search")]
    assert 1.6 < float(np.percentile(struck, 95) / np.percentile(before, 95)) < 2.8


def test_somebody_guesses_passwords(day: list[Request]) -> None:
    calls = [one for one in day if one.client_ip == "192.0.2.66"]
    assert len(calls) > 300
    assert sum(one.status == 401 for one in calls) / len(calls) > 0.7
    assert "/.env" in {one.path for one in calls}


def test_incidents_change_only_what_they_touch() -> None:
    start, end = END - timedelta(hours=1), END
    quiet = {one.id: one for one in requests(start, end, 5, plan=QUIET)}
    planned = {one.id: one for one in requests(start, end, 5, plan=planted(END))}
    changed = [key for key, one in planned.items() if quiet[key] != one]
    assert quiet.keys() == planned.keys()
    assert changed
    assert {urlsplit(planned[key].path).path for key in changed} == {"/api/order/checkout"}


def test_a_coupon_makes_the_checkout_after_it_fail_more_often(day: list[Request]) -> None:
    # Who attached a coupon less than two minutes ago?
    coupon: dict[tuple[str, str], datetime] = {}
    refused: dict[bool, list[bool]] = {True: [], False: []}
    for one in day:
        who, path, at = (one.client_ip, one.user_agent), urlsplit(one.path).path, datetime.fromisoformat(one.timestamp)
        if path == "/api/cart/coupon" and one.status < 400:
            coupon[who] = at
        elif path == "/api/order/checkout":
            after = at - coupon.get(who, at - DAY) < timedelta(minutes=2)
            refused[after].append(one.status == 422)
    assert np.mean(refused[True]) > 0.08
    assert np.mean(refused[False]) < 0.01


def test_planted_incidents_come_again() -> None:
    plan = planted(END, repeats=2)
    assert len(plan.incidents) == 3 * len(planted(END).incidents)
    checkout = [one for one in plan.incidents if one.endpoint == "checkout"]
    assert checkout[1].start - checkout[0].start == checkout[2].start - checkout[1].start
    assert checkout[1].start > END


def test_endpoints_are_declared_soundly() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len(names) == len(set(names)) >= 14
    for endpoint in ENDPOINTS:
        assert endpoint.service in SERVICES
        assert sum(endpoint.statuses.values()) == pytest.approx(1)
        assert min(endpoint.statuses.values()) > 0
        assert sum(follow_up.share for follow_up in endpoint.follow_ups) < 1
        for follow_up in endpoint.follow_ups:
            assert follow_up.endpoint in names
            assert follow_up.statuses is None or sum(follow_up.statuses.values()) == pytest.approx(1)
    wanted = {"/api/user/list", "/api/user/create", "/api/order/checkout", "/api/product/view", "/api/auth/login"}
    assert wanted <= {endpoint.path.partition("?")[0] for endpoint in ENDPOINTS}
