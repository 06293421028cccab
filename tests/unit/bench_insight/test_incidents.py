"""Each planted incident is in the data: found again by plain calculation, from the truth that is told."""

import numpy as np
import pytest

from bench.insight.incidents import Incident
from bench.insight.roles import STATUSES
from bench.insight.scenario import Scenario, incident_scenario
from bench.insight.sizes import PLANS, SIZES, Size
from tests.unit.bench_insight.drawn import CODES, during, everything, of_subject

RATE = 20.0


def planted(kind: str, size: Size = "small", seed: int = 11, rate: float = RATE) -> tuple[Scenario, Incident]:
    scenario = incident_scenario(kind, size, rate, seed)
    assert scenario is not None
    return scenario, scenario.incidents[0]


def test_there_are_at_least_sixteen_kinds_and_three_sizes() -> None:
    assert len(PLANS) >= 16
    assert len(SIZES) == 3


@pytest.mark.parametrize("kind", ["errors_endpoint", "errors_service", "errors_network", "deploy", "new_failing_route"])
@pytest.mark.parametrize("size", SIZES)
def test_the_subject_fails_as_much_as_it_says_and_no_other(kind: str, size: Size) -> None:
    scenario, incident = planted(kind, size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    failed = CODES[made.status] >= 500
    n = (inside & mine).sum()
    assert failed[inside & mine].mean() == pytest.approx(incident.dose.share, abs=4 / np.sqrt(n) / 2 + 0.01)
    assert failed[inside & ~mine].mean() < 0.006
    assert failed[~inside].mean() < 0.006
    if kind != "new_failing_route":
        assert (failed & inside & mine).sum() * 60 / (incident.end_s - incident.start_s) > 0.6 * incident.dose.least


@pytest.mark.parametrize("kind", ["latency_endpoint", "latency_service", "deploy"])
@pytest.mark.parametrize("size", SIZES)
def test_all_latencies_of_the_subject_are_longer(kind: str, size: Size) -> None:
    scenario, incident = planted(kind, size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    logged = np.isfinite(made.log_ms)
    ratio = np.exp(np.median(made.log_ms[inside & mine & logged]) - np.median(made.log_ms[~inside & mine & logged]))
    assert ratio == pytest.approx(incident.dose.factor, rel=0.25)


@pytest.mark.parametrize("size", SIZES)
def test_only_the_tail_is_longer(size: Size) -> None:
    scenario, incident = planted("latency_tail", size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    logged = np.isfinite(made.log_ms)
    within, without = (np.exp(made.log_ms[part & mine & logged]) for part in (inside, ~inside))
    assert np.median(within) == pytest.approx(np.median(without), rel=0.25)
    assert np.quantile(within, 0.96) > 1.5 * np.quantile(without, 0.96)


def test_a_drift_ends_at_its_factor() -> None:
    scenario, incident = planted("latency_drift")
    made = everything(scenario)
    mine = of_subject(scenario.world, incident, made) & np.isfinite(made.log_ms)
    first = mine & (made.ts < incident.start_s)
    middle_s = (incident.start_s + incident.end_s) / 2
    middle = mine & (abs(made.ts - middle_s) < 1200)
    last = mine & (made.ts > incident.end_s - 1800) & (made.ts < incident.end_s)
    usual, halfway, most = (np.exp(np.median(made.log_ms[part])) for part in (first, middle, last))
    assert halfway / usual == pytest.approx(1 + (incident.dose.factor - 1) / 2, rel=0.25)
    assert most / usual == pytest.approx(incident.dose.factor, rel=0.25)


def test_a_band_is_there_on_every_day() -> None:
    scenario, incident = planted("latency_band", "medium", rate=5.0)
    made = everything(scenario)
    mine = of_subject(scenario.world, incident, made) & np.isfinite(made.log_ms)
    usual = np.exp(np.median(made.log_ms[mine & ~during(incident, made)]))
    assert len(incident.spans()) == 4
    for begin, end in incident.spans():
        inside = mine & (made.ts >= begin) & (made.ts < end)
        assert np.exp(np.median(made.log_ms[inside])) > 1.8 * usual


@pytest.mark.parametrize(("kind", "size"), [(k, s) for k in ("traffic_spike", "traffic_drop") for s in SIZES])
def test_traffic_of_the_service_changes_by_the_factor(kind: str, size: Size) -> None:
    scenario, incident = planted(kind, size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    # Sessions take a moment to build up.
    inside &= made.ts > incident.start_s + 240
    near = (made.ts > incident.start_s - 1800) & (made.ts < incident.start_s)
    n = (inside & mine).sum() / (incident.end_s - incident.start_s - 240)
    usual = (near & mine).sum() / min(1800, incident.start_s)
    assert n / usual == pytest.approx(incident.dose.factor, rel=0.3, abs=0.06)


@pytest.mark.parametrize("size", SIZES)
def test_an_outage_leaves_nothing(size: Size) -> None:
    scenario, incident = planted("outage", size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    assert not (inside & mine).any()
    assert (~inside & mine).any()
    assert (inside & ~mine).any()


@pytest.mark.parametrize("kind", ["scanner", "guessing", "guessing_spread", "scraper", "hammering"])
@pytest.mark.parametrize("size", SIZES)
def test_clients_do_what_is_said_of_them(kind: str, size: Size) -> None:
    scenario, incident = planted(kind, size)
    made = everything(scenario)
    inside, mine = during(incident, made), of_subject(scenario.world, incident, made)
    assert not (mine & ~inside).any()
    n = (mine & inside).sum()
    assert n == pytest.approx(incident.dose.rate * incident.dose.minutes, rel=0.05)
    assert made.ts[mine].min() - incident.start_s < 60 / incident.dose.rate
    codes = CODES[made.status[mine]]
    different = np.unique(np.stack([made.endpoint[mine], made.item[mine]]), axis=1).shape[1]
    if kind == "scanner":
        assert (codes == 404).all()
        assert different == pytest.approx(n, rel=0.2)
    elif kind.startswith("guessing"):
        assert (codes == 401).all()
        assert len(set(made.client[mine].tolist())) == (20 if kind == "guessing_spread" else 1)
    elif kind == "scraper":
        assert (codes == 200).mean() > 0.8
        assert different > 0.9 * n
    else:
        assert different == 1


@pytest.mark.parametrize("size", SIZES)
def test_b_fails_after_a_of_the_same_client_and_not_otherwise(size: Size) -> None:
    scenario, incident = planted("a_breaks_b", size)
    made = everything(scenario)
    inside, b = during(incident, made), made.endpoint == incident.endpoint
    failed = CODES[made.status] >= 500
    calls: dict[int, list[float]] = {}
    for client, ts in zip(
        *(each[made.endpoint == incident.cause_endpoint] for each in (made.client, made.ts)), strict=True
    ):
        calls.setdefault(int(client), []).append(float(ts))
    after = np.array(
        [
            any(0 < ts - each <= 120 for each in calls.get(int(client), []))
            for client, ts in zip(made.client, made.ts, strict=True)
        ]
    )
    assert failed[inside & b & after].mean() == pytest.approx(incident.dose.share, abs=0.15)
    assert failed[inside & b & ~after].mean() < 0.02
    assert (inside & b & after).sum() > 60
    assert (inside & b & ~after).sum() > 60


@pytest.mark.parametrize("size", SIZES)
def test_b_is_slow_while_a_is_called_much(size: Size) -> None:
    scenario, incident = planted("a_loads_b", size)
    made = everything(scenario)
    into = made.ts - incident.start_s
    wave = (into % 1200 < 240) & during(incident, made)
    slow = ((into - 60) % 1200 < 240) & (into >= 60) & during(incident, made)
    a, b = made.endpoint == incident.cause_endpoint, made.endpoint == incident.endpoint
    assert (a & wave).sum() > 2.5 * (a & during(incident, made) & ~wave).sum() * 240 / 960
    logged = np.isfinite(made.log_ms)
    ratio = np.exp(np.median(made.log_ms[b & slow & logged]) - np.median(made.log_ms[b & ~slow & logged]))
    assert ratio == pytest.approx(incident.dose.factor, rel=0.3)


def test_the_new_route_was_not_there_before() -> None:
    scenario, incident = planted("new_failing_route")
    made = everything(scenario)
    mine = of_subject(scenario.world, incident, made)
    assert made.ts[mine].min() >= incident.start_s
    assert scenario.world.endpoints[incident.endpoint] not in (scenario.history().endpoints or ())


def test_traffic_is_the_same_but_for_the_incident() -> None:
    scenario, incident = planted("errors_endpoint")
    made = everything(scenario)
    quiet = everything(Scenario(scenario.world, scenario.rhythm, scenario.minutes))
    assert np.array_equal(made.ts, quiet.ts)
    changed = made.status != quiet.status
    assert (changed <= (during(incident, made) & of_subject(scenario.world, incident, made))).all()
    assert changed.any()
    assert set(np.array(STATUSES)[made.status[changed]].tolist()) == {incident.status}


def test_too_little_traffic_gives_no_scenario() -> None:
    assert incident_scenario("traffic_drop", "small", 0.2, 1) is None
