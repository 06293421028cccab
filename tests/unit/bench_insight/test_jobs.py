"""Scenarios are run through a search and told of in figures: here through one that only looks for server errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from bench.insight.__main__ import main
from bench.insight.figures import tell
from bench.insight.jobs import Job, Result, incident_jobs, quiet_jobs, run, seed_of
from bench.insight.sizes import PLANS, SIZES
from dashapp.insight.finding import Finding, Subject
from dashapp.insight.history import History
from dashapp.insight.minute import ClientMinute, Endpoint, Minute, Requests


@dataclass(frozen=True)
class Change:
    what: str
    key: str
    finding: Finding


@dataclass
class Simple:
    """Calls it a burst when ten requests of an endpoint have failed within two minutes."""

    history: History
    failed: dict[Endpoint, list[int]] = field(default_factory=dict)
    open_: dict[Endpoint, Finding] = field(default_factory=dict)

    def step(self, minute: Minute, clients: ClientMinute | None = None) -> list[Change]:
        server = np.array(minute.statuses) >= 500
        now = dict(zip(minute.endpoints, minute.counts[:, server].sum(axis=1).tolist(), strict=True))
        changes = []
        for endpoint in {*now, *self.open_}:
            recent = self.failed.setdefault(endpoint, [])
            recent.append(now.get(endpoint, 0))
            many = sum(recent[-2:])
            if endpoint not in self.open_ and many >= 10:
                subject = Subject(*endpoint)
                values = (minute.start, None, "requests", float(many), 0.1, None, 9.0, 1e-9, many, "fault")
                self.open_[endpoint] = Finding("error_burst", "high", subject, *values)  # type: ignore[arg-type]
                changes.append(Change("opened", str(endpoint), self.open_[endpoint]))
            elif endpoint in self.open_ and many < 3:
                changes.append(Change("closed", str(endpoint), self.open_.pop(endpoint)))
        return changes

    def ask(self) -> list[object]:
        return []

    def answer(self, question: object, requests: Requests) -> list[Change]:
        raise NotImplementedError


def test_a_simple_search_finds_a_large_burst() -> None:
    result = run(Job("errors_endpoint", "large", 50.0, 1), Simple)
    assert result.planted
    assert result.verdict is not None
    assert result.verdict.recalled
    assert result.verdict.subject_right
    assert result.verdict.cause_right
    assert result.verdict.start_error is not None
    assert result.verdict.start_error <= 3
    assert result.steps > 60


def test_a_quiet_week_has_no_verdict() -> None:
    result = run(Job(None, "small", 5.0, 1, 0.2), Simple)
    assert result.verdict is None
    assert (result.found, result.steps) == ([], 288)


def test_what_cannot_be_planted_is_told() -> None:
    assert not run(Job("traffic_drop", "small", 0.2, 1), Simple).planted


def test_seeds_for_tuning_are_never_reported() -> None:
    def seeds(*, tune: bool) -> set[int]:
        jobs = [*incident_jobs(tuple(PLANS), SIZES, (1.0, 5.0, 20.0, 50.0, 200.0), 20, tune=tune)]
        return {job.seed for job in [*jobs, *quiet_jobs((1.0,) * 50, 7, tune=tune)]}

    assert not seeds(tune=True) & seeds(tune=False)
    assert seed_of("a", 1, tune=True) != seed_of("a", 1, tune=False)


def test_every_kind_and_size_is_run_and_the_smallest_most() -> None:
    jobs = [*incident_jobs(tuple(PLANS), SIZES, (1.0, 5.0, 20.0, 50.0, 200.0), 3, tune=False)]
    assert {(job.kind, job.size) for job in jobs} == {(kind, size) for kind in PLANS for size in SIZES}
    of = [sum(job.size == size and job.kind == "scanner" for job in jobs) for size in SIZES]
    assert of == [15, 5, 5]
    assert len({job.seed for job in jobs}) == len(jobs)


def test_the_figures_are_lines_of_json_with_their_goals(capsys: pytest.CaptureFixture[str]) -> None:
    results: list[Result] = [run(Job("errors_endpoint", size, 50.0, 1), Simple) for size in SIZES]
    results += [run(Job("scanner", "small", 5.0, 1), Simple), run(Job(None, "small", 5.0, 1, 0.1), Simple)]
    missed = tell(results)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_kind = {(line.get("kind"), line.get("size")): line for line in lines if line["name"] == "insight: recall"}
    assert by_kind["errors_endpoint", "large"]["figure"] == 1
    assert by_kind["scanner", "small"]["figure"] == 0
    assert by_kind["scanner", "small"]["baseline"] == 0.95
    assert "recall" in missed
    last = lines[-1]
    assert last["name"] == "insight: goals missed"
    assert last["missed"] == missed
    assert last["figure"] == len(missed)


def test_the_options_choose(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    chosen: list[Job] = []

    def run_all(jobs: list[Job], workers: int) -> list[Result]:
        chosen.extend(jobs)
        return [Result(job, planted=False) for job in jobs]

    monkeypatch.setattr("bench.insight.__main__.run_all", run_all)
    main(["--kinds", "outage,scanner", "--sizes", "small", "--rates", "5", "--seeds", "2", "--quiet", "1,5", "--tune"])
    assert [(job.kind, job.rate) for job in chosen] == [
        ("outage", 5.0), ("outage", 5.0), ("scanner", 5.0), ("scanner", 5.0), (None, 1.0), (None, 5.0),
    ]  # fmt: skip
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["tune"]
