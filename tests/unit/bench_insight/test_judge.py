"""What was found is compared with the truth by time, subject and kind."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bench.insight.follow import Found
from bench.insight.incidents import Incident
from bench.insight.judge import AFTERMATH, LATE, Verdict, judge
from bench.insight.scenario import Scenario, incident_scenario
from dashapp.insight.finding import Cause, Finding, Kind, Subject


def planted(kind: str) -> tuple[Scenario, Incident, int]:
    scenario = incident_scenario(kind, "small", 20.0, 2)
    assert scenario is not None
    incident = scenario.incidents[0]
    return scenario, incident, int(incident.start_s // 60)


def found(
    kind: Kind, subject: Subject, opened: int, started: datetime, cause: Cause = "fault", related: Subject | None = None
) -> Found:
    finding = Finding(
        kind, "high", subject, started, None, "share", 0.5, 0.01, 50.0, 9.0, 1e-9, 100, cause, related=related
    )
    return Found(f"{kind}-{opened}", opened, None, finding, finding)


def verdict_of(scenario: Scenario, *all_: Found) -> Verdict:
    return judge(scenario.world, scenario.incidents[0], scenario.start, all_)


def at(scenario: Scenario, minute: int) -> datetime:
    return scenario.start + timedelta(minutes=minute)


def test_the_right_finding_is_right_in_all() -> None:
    scenario, incident, start = planted("errors_endpoint")
    good = found("error_burst", replace(incident.subject, status="502"), start + 4, at(scenario, start + 1))
    verdict = verdict_of(scenario, good)
    assert verdict.recalled
    assert verdict.subject_right
    assert verdict.cause_right
    assert (verdict.delay, verdict.start_error, verdict.repeats) == (4, 1, 0)
    assert not verdict.wrong
    assert verdict.related_right is None


def test_nothing_found_is_missed() -> None:
    scenario, _, _ = planted("errors_endpoint")
    verdict = verdict_of(scenario)
    assert not verdict.recalled
    assert not verdict.noticed
    assert verdict.delay is None


@pytest.mark.parametrize(
    "wider",
    [
        lambda subject: Subject(subject.service),
        lambda subject: replace(subject, client_ip="203.0.113.9"),
        lambda subject: replace(subject, client_type="browser"),
        lambda subject: replace(subject, route="/v2/elsewhere"),
        lambda subject: Subject(),
    ],
    ids=["service only", "one client", "client type", "another route", "everything"],
)
def test_another_subject_is_not_the_right_one(wider) -> None:  # type: ignore[no-untyped-def]
    scenario, incident, start = planted("errors_endpoint")
    verdict = verdict_of(scenario, found("error_burst", wider(incident.subject), start + 4, at(scenario, start)))
    assert verdict.recalled
    assert not verdict.subject_right


def test_a_finding_of_another_service_is_a_false_alarm() -> None:
    scenario, incident, start = planted("errors_endpoint")
    other = next(name for name in scenario.world.services if name != incident.subject.service)
    verdict = verdict_of(scenario, found("error_burst", Subject(other), start + 4, at(scenario, start)))
    assert not verdict.recalled
    assert not verdict.noticed
    assert len(verdict.wrong) == 1


def test_a_finding_before_the_start_is_a_false_alarm() -> None:
    scenario, incident, start = planted("errors_endpoint")
    verdict = verdict_of(scenario, found("error_burst", incident.subject, start - 1, at(scenario, start - 2)))
    assert not verdict.recalled
    assert len(verdict.wrong) == 1


def test_too_late_is_not_found_and_much_too_late_is_a_false_alarm() -> None:
    scenario, incident, start = planted("errors_endpoint")
    end = int(incident.end_s // 60)
    in_time, late, after = (
        verdict_of(scenario, found("error_burst", incident.subject, end + more, at(scenario, start)))
        for more in (LATE, LATE + 1, AFTERMATH + 1)
    )
    assert in_time.recalled
    assert (late.recalled, late.noticed, len(late.wrong)) == (False, True, 0)
    assert (after.recalled, after.noticed, len(after.wrong)) == (False, False, 1)


def test_a_second_finding_of_it_is_a_repeat_and_the_one_with_the_right_subject_counts() -> None:
    scenario, incident, start = planted("errors_endpoint")
    wide = found("error_burst", Subject(incident.subject.service), start + 2, at(scenario, start), "shared_fault")
    right = found("error_burst", incident.subject, start + 6, at(scenario, start))
    verdict = verdict_of(scenario, wide, right)
    assert (verdict.repeats, verdict.delay) == (1, 6)
    assert verdict.subject_right
    assert verdict.cause_right


def test_another_kind_about_the_same_is_beside_and_does_not_count() -> None:
    scenario, incident, start = planted("errors_endpoint")
    verdict = verdict_of(scenario, found("latency_shift", incident.subject, start + 4, at(scenario, start)))
    assert not verdict.recalled
    assert verdict.noticed
    assert len(verdict.beside) == 1


def test_the_subject_of_what_a_client_does_may_name_the_place_too() -> None:
    scenario, incident, start = planted("guessing")
    login = scenario.world.endpoints[incident.endpoint]
    both = replace(incident.subject, service=login.service, method=login.method, route=login.route)
    assert verdict_of(
        scenario, found("credential_guessing", both, start + 4, at(scenario, start), "attack")
    ).subject_right
    only = Subject(login.service, login.method, login.route)
    verdict = verdict_of(scenario, found("credential_guessing", only, start + 4, at(scenario, start)))
    assert verdict.recalled
    assert not verdict.subject_right
    stranger = found("credential_guessing", Subject(client_ip="203.0.113.9"), start + 4, at(scenario, start))
    assert len(verdict_of(scenario, stranger).wrong) == 1


def test_a_network_is_right_only_as_a_network() -> None:
    scenario, incident, start = planted("errors_network")
    one = str(incident.subject.network).replace("0/24", "7")
    assert verdict_of(scenario, found("error_burst", incident.subject, start + 4, at(scenario, start))).subject_right
    part = verdict_of(scenario, found("error_burst", Subject(client_ip=one), start + 4, at(scenario, start)))
    assert part.recalled
    assert not part.subject_right


def test_the_other_side_of_it_is_looked_at() -> None:
    scenario, incident, start = planted("a_breaks_b")
    good = found("error_burst", incident.subject, start + 9, at(scenario, start), "call", incident.related)
    without = found("error_burst", incident.subject, start + 9, at(scenario, start))
    assert verdict_of(scenario, good).related_right
    assert verdict_of(scenario, without).related_right is False


def test_of_what_comes_every_day_the_time_of_day_counts() -> None:
    scenario = incident_scenario("latency_band", "small", 5.0, 2)
    assert scenario is not None
    incident = scenario.incidents[0]
    start = int(incident.start_s // 60)
    third = start + 2 * 1440
    verdict = verdict_of(
        scenario, found("latency_band", incident.subject, third + 30, at(scenario, third + 5), "schedule")
    )
    assert verdict.recalled
    assert verdict.start_error == 5
    between = verdict_of(scenario, found("latency_band", incident.subject, third + 700, at(scenario, third)))
    assert not between.recalled
