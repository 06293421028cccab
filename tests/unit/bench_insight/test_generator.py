"""The generator makes what it says, and the same again by seed."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest

from bench.insight import as_minutes
from bench.insight.events import call_shares
from bench.insight.past import known
from bench.insight.roles import STATUSES
from bench.insight.scenario import Scenario, incident_scenario, quiet_week
from bench.insight.world import draw_world
from dashapp.insight.minute import Endpoint
from sql.sketch import SLOTS, slot_value_ms
from tests.unit.bench_insight.drawn import CODES, everything


def a_day(rate: float, seed: int = 5) -> Scenario:
    return quiet_week(rate, seed, days=1)


def test_the_same_seed_makes_the_same_and_another_does_not() -> None:
    one, same, other = (everything(quiet_week(5.0, seed, days=0.1)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, same, strict=True))
    assert one.ts.size != other.ts.size


def test_a_scenario_is_the_same_when_its_history_was_read_before() -> None:
    one, other = (incident_scenario("errors_endpoint", "small", 5.0, 3) for _ in range(2))
    assert one is not None
    assert other is not None
    list(other.history().minutes)
    for (minute, clients), (again, clients_again) in zip(one.stream(), other.stream(), strict=True):
        assert minute.start == again.start
        assert np.array_equal(minute.counts, again.counts)
        assert np.array_equal(minute.latencies, again.latencies)
        assert np.array_equal(clients.n, clients_again.n)


@pytest.mark.parametrize("rate", [1.0, 5.0, 20.0])
def test_a_week_has_about_the_rate_it_was_asked_for(rate: float) -> None:
    week = quiet_week(rate, 7)
    expected = week.rhythm.at(np.arange(week.minutes)).sum() / week.minutes / 60
    assert expected == pytest.approx(rate, rel=0.2)


def test_requests_of_people_are_as_many_as_expected_and_share_out_as_they_should() -> None:
    day = a_day(20.0)
    made = everything(day)
    human = made.client < day.world.people.popular.size
    expected = day.rhythm.at(np.arange(day.minutes)).sum()
    assert human.sum() == pytest.approx(expected, rel=0.02)
    shares = np.mean([call_shares(day.world, hour) for hour in range(24)], axis=0)
    top = int(np.argmax(shares[day.world.of(0)]))
    of_service = human & (day.world.service[made.endpoint] == 0)
    assert (made.endpoint[of_service] == top).mean() == pytest.approx(shares[top], rel=0.12)


def test_endpoints_are_called_very_differently_often() -> None:
    made = everything(a_day(20.0))
    n = np.sort(np.bincount(made.endpoint))[::-1]
    n = n[n > 0]
    assert n[0] > 20 * np.median(n)


def test_answers_have_the_shares_of_the_world() -> None:
    day = a_day(20.0)
    made = everything(day)
    top = int(np.bincount(made.endpoint).argmax())
    seen = np.bincount(made.status[made.endpoint == top], minlength=len(STATUSES)) / (made.endpoint == top).sum()
    good = np.array(STATUSES) < 400
    # A few sessions are clumsy, so that a little more fails than the world says.
    assert seen[good].sum() == pytest.approx(day.world.answers[top][good].sum(), abs=0.02)
    assert 0.0001 < (CODES[made.status] >= 500).mean() < 0.005


def test_latencies_are_long_tailed() -> None:
    day = a_day(20.0)
    made = everything(day)
    top = int(np.bincount(made.endpoint).argmax())
    logs = made.log_ms[(made.endpoint == top) & np.isfinite(made.log_ms)]
    assert np.median(logs) == pytest.approx(day.world.log_ms[top], abs=0.4)
    assert np.quantile(logs, 0.999) - np.median(logs) > 3.5 * day.world.spread[top]


def test_requests_of_clients_cluster() -> None:
    day = a_day(20.0)
    n = np.array([minute.counts.sum() for minute, _ in day.stream()], dtype=float)
    steps = np.diff(n)
    # Of Poisson counts the difference of two has twice their variance; sessions make it more.
    assert steps.var() > 2.5 * n.mean()


def test_nights_are_quieter_than_days() -> None:
    day = a_day(5.0)
    by_hour = np.array([minute.counts.sum() for minute, _ in day.stream()]).reshape(24, 60).sum(axis=1)
    assert by_hour.max() > 1.3 * by_hour.min()


def test_minutes_and_clients_and_single_requests_agree() -> None:
    scenario = quiet_week(5.0, 8, days=0.08)
    for minute, clients in scenario.stream():
        assert minute.start == clients.start
        assert minute.counts.sum() == clients.n.sum()
        assert (minute.counts.sum(axis=1) >= minute.latencies.sum(axis=1)).all()
        assert len(minute.endpoints) == minute.counts.shape[0] == minute.latencies.shape[0]
        assert len(minute.statuses) == minute.counts.shape[1]
        assert (clients.paths <= clients.n).all()
        assert (clients.failed_paths <= clients.paths).all()
        assert len(clients.clients) == len(clients.agents)
    single = scenario.requests(minute.start, minute.start + timedelta(minutes=1))
    assert single.ts.size == minute.counts.sum()
    assert (np.diff(single.ts) >= 0).all()
    assert single.ts[0] >= minute.start.timestamp()


def test_slots_are_those_of_the_sketch() -> None:
    values = np.array([slot_value_ms(slot) for slot in range(1, SLOTS + 1)])
    assert as_minutes.slots_of(np.log(values)).tolist() == list(range(1, SLOTS + 1))


def test_the_history_is_of_the_same_world() -> None:
    scenario = incident_scenario("errors_endpoint", "small", 20.0, 4)
    assert scenario is not None
    history = scenario.history()
    hours, warm = list(history.hours), list(history.minutes)
    assert len(hours) == 8 * 24
    assert hours[-1].start + timedelta(hours=1) == warm[0].start
    assert 60 <= len(warm) < 120
    assert warm[-1].start + timedelta(minutes=1) == scenario.start
    assert all(hour.start.minute == 0 for hour in hours)
    assert history.endpoints == known(scenario.world)
    busiest = scenario.world.services[0]
    times = sorted(history.traffic[busiest])
    assert len(times) >= 4 * 7 * 24 - 3
    assert times[-1] == hours[-1].start
    by_hours = sum(int(hour.counts.sum()) for hour in hours)
    by_traffic = sum(of[hour.start] for of in history.traffic.values() for hour in hours)
    assert by_hours == pytest.approx(by_traffic, rel=0.03)


def test_the_history_has_the_latencies_that_are_made() -> None:
    """What is drawn without single requests is as what is drawn from them: an hour of each is compared."""
    scenario = incident_scenario("errors_endpoint", "small", 50.0, 4)
    assert scenario is not None
    before = list(scenario.history().hours)
    rows: dict[str, dict[Endpoint, npt.NDArray[np.int64]]] = {}
    for name, source in (("past", before), ("now", list(scenario.history().minutes))):
        total: dict[Endpoint, npt.NDArray[np.int64]] = {}
        for bucket in source:
            for endpoint, slots in zip(bucket.endpoints, bucket.latencies, strict=True):
                total[endpoint] = total.get(endpoint, np.zeros_like(slots)) + slots
        rows[name] = total
    endpoint = max(rows["now"], key=lambda each: int(rows["now"][each].sum()))
    past, now = (np.cumsum(rows[name][endpoint]) / rows[name][endpoint].sum() for name in ("past", "now"))
    for share in (0.1, 0.5, 0.9, 0.99):
        assert abs(int(np.searchsorted(past, share)) - int(np.searchsorted(now, share))) <= (5 if share < 0.99 else 9)


@pytest.mark.parametrize("rate", [1.0, 5.0, 50.0])
def test_worlds_are_of_different_sizes_and_no_endpoint_is_there_twice(rate: float) -> None:
    world = draw_world(3, rate)
    assert len(set(world.endpoints)) == len(world.endpoints)
    assert len(set(world.people.addresses[: world.people.popular.size])) > 0.4 * world.people.popular.size
    assert np.allclose(world.answers.sum(axis=1), 1)
    assert (world.chain[: world.real] < world.real).all()
