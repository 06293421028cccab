"""What the dashboard says of itself at /metrics: requests, how long they took, how far behind the figures are."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterator

import flask
from flask import Flask, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from dashapp.request_id import HEADER, current_request_id
from dashapp.site import Site
from sql.canary import last_seen
from sql.connection import DatabaseUnavailable, Reading, snapshot
from sql.findings import open_findings
from sql.watching import watched_through

PATH = "/metrics"
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_SEVERITIES = ("high", "medium", "low")


class Measuring:
    """Counts the requests of one app, in a registry of its own."""

    def __init__(self, site: Site) -> None:
        """Count nothing yet."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "accessboard_dashboard_requests",
            "Requests by route.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "accessboard_dashboard_request_seconds", "Seconds until an answer.", ("route",), buckets=_BUCKETS,
            registry=self._registry,
        )  # fmt: skip
        self._registry.register(_Figures(site))

    def install(self, server: Flask) -> None:
        """Measure every request of an app; give each its number."""
        server.before_request(_begin)
        server.after_request(self._end)
        server.add_url_rule(PATH, "metrics", self._answer)

    def _answer(self) -> Response:
        return Response(generate_latest(self._registry), content_type=_CONTENT_TYPE)

    def _end(self, response: Response) -> Response:
        rule = flask.request.url_rule
        route = rule.rule if rule is not None else "none"
        method = flask.request.method if flask.request.method in _METHODS else "other"  # a client may make up any
        self._requests.labels(route, method, str(response.status_code)).inc()
        began: float | None = flask.g.get("began")
        if began is not None:  # not where a request was refused before it began
            self._seconds.labels(route).observe(time.perf_counter() - began)
        response.headers[HEADER] = current_request_id()
        return response


class _Figures:
    """What is read when somebody asks; a database that is away is a figure too."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        try:
            complete = self._site.complete()
            with snapshot(self._site.engine) as reading:
                yield from self._read(reading)
            yield _gauge(
                "accessboard_complete_through_seconds", "Until when the figures are final.", complete.timestamp()
            )
            up = 1.0
        except DatabaseUnavailable:
            up = 0.0
        yield _gauge("accessboard_database_up", "Whether the database answers.", up)

    def _read(self, reading: Reading) -> Iterator[Metric]:
        through = watched_through(reading)
        if through is not None:
            yield _gauge("accessboard_watched_through_seconds", "Until when findings were sought.", through.timestamp())
        if seen := last_seen(reading):
            yield _gauge("accessboard_canary_seen_seconds", "When a test record was last stored.", seen.timestamp())
        found = Tally(str(each.payload["severity"]) for each in open_findings(reading))
        family = GaugeMetricFamily("accessboard_findings_open", "Findings that last.", labels=("severity",))
        for severity in _SEVERITIES:
            family.add_metric((severity,), found[severity])
        yield family


def _begin() -> None:
    flask.g.began = time.perf_counter()


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
