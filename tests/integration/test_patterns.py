"""Pattern Analysis equals a plain calculation over the rows, also on days on which the clock changes."""

from __future__ import annotations

import ipaddress
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa

from dashapp.stats.latency_heat import latency_heat
from dashapp.stats.methods import methods
from dashapp.stats.networks import networks
from dashapp.stats.patterns import ranked_hours, read_hours, week_of
from dashapp.stats.traffic import traffic
from sql.batch import Batch, LogRow
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import Range
from sql.sketch import ERROR_BOUND
from sql.writing import LogWriter
from tests.rows import log_row, moment

NEW_YORK, SEOUL = ZoneInfo("America/New_York"), ZoneInfo("Asia/Seoul")
HOUR = timedelta(hours=1)
ADDRESSES = [None, "10.24.1.7", "10.24.1.8", "10.24.2.7", "203.0.113.9", "2001:db8:1::5", "2001:db8:1:2::6", "fd00::1"]


def drawn(service: str, whole: Range, n: int, seed: int = 1) -> list[LogRow]:
    draw = random.Random(seed)
    length = (whole.end - whole.start).total_seconds()
    return [
        log_row(
            ts=whole.start + timedelta(seconds=draw.uniform(0, length)),
            service=service,
            method=draw.choice(["GET", "GET", "POST", "DELETE"]),
            status=draw.choice([200, 200, 200, 302, 404, 503]),
            latency_ms=draw.choice([None, round(draw.lognormvariate(4, 1), 3)]),
            client_ip=draw.choice(ADDRESSES),
        )
        for _ in range(n)
    ]


# The hour from 01:00 comes twice on 2 November 2025 in New York, that from 02:00 not at all on 9 March 2025.
@pytest.mark.parametrize(
    ("start", "days", "zone", "held"),
    [
        (datetime(2025, 11, 1, 4, tzinfo=UTC), 3, NEW_YORK, {(6, 1): 2 * HOUR, (6, 2): HOUR}),
        (datetime(2025, 3, 8, 5, tzinfo=UTC), 3, NEW_YORK, {(6, 1): HOUR, (6, 2): 0 * HOUR, (6, 3): HOUR}),
        (datetime(2025, 5, 5, 15, tzinfo=UTC), 9, SEOUL, {(1, 0): 2 * HOUR, (3, 0): HOUR}),
    ],
    ids=["autumn", "spring", "nine days"],
)
def test_the_matrix_equals_a_plain_count(
    engine: sa.Engine,
    writer: LogWriter,
    service: str,
    start: datetime,
    days: int,
    zone: ZoneInfo,
    held: dict[tuple[int, int], timedelta],
) -> None:
    # The clock of the viewer, not of the hours passed: a day of the change has 23 or 25 hours.
    end = (start.astimezone(zone) + timedelta(days=days)).astimezone(UTC)
    whole = Range(start, end)
    rows = [*drawn(service, whole, 3000), log_row(ts=start, service=service)]
    writer.store(Batch("test", service, rows, []))
    with snapshot(engine) as reading:
        hours = read_hours(reading, whole, Filters(service=service), zone=zone, complete=end)
    week = {(each.weekday, each.hour): each for each in week_of(hours, zone)}
    groups: dict[tuple[int, int], list[LogRow]] = {}
    for row in rows:
        local = moment(row.ts).astimezone(zone)
        groups.setdefault((local.weekday(), local.hour), []).append(row)
    for place, each in week.items():
        inside = groups.get(place, [])
        if not each.covered:
            assert (each.total, each.errors, each.p95_ms, each.latest, each.is_held) == (None, None, None, None, False)
            assert inside == []
            continue
        assert each.total == len(inside)
        assert each.errors == sum(row.status >= 400 for row in inside)
        timed = [row.latency_ms for row in inside if row.latency_ms is not None]
        assert each.timed == len(timed)
        assert each.p95_ms == (pytest.approx(np.percentile(timed, 95), rel=ERROR_BOUND + 1e-6) if timed else None)
    assert {place: week[place].covered for place in held} == held
    assert sum((each.covered for each in week.values()), timedelta()) == end - start
    counts = Counter(moment(row.ts).replace(minute=0, second=0, microsecond=0) for row in rows)
    busiest, quietest = ranked_hours(hours, 3)
    assert [each.tally.n for each in busiest] == sorted(counts.values(), reverse=True)[:3]
    assert all(counts[each.start] == each.tally.n for each in (*busiest, *quietest))


def test_an_incomplete_hour_is_not_held_and_nothing_after_it_is_known(
    engine: sa.Engine, writer: LogWriter, service: str
) -> None:
    start = datetime(2025, 5, 5, 15, tzinfo=UTC)  # Tuesday 00:00 in Seoul
    whole = Range(start, start + 3 * HOUR)
    writer.store(Batch("test", service, [*drawn(service, whole, 300), log_row(ts=start, service=service)], []))
    with snapshot(engine) as reading:
        complete = start + timedelta(minutes=80)
        hours = read_hours(reading, whole, Filters(service=service), zone=SEOUL, complete=complete)
    week = {(each.weekday, each.hour): each for each in week_of(hours, SEOUL)}
    assert week[1, 0].is_held
    assert (week[1, 1].is_held, week[1, 1].covered) == (False, timedelta(minutes=20))
    assert week[1, 2].total is None


def test_networks_methods_and_classes_of_latency_equal_plain_counts(
    engine: sa.Engine, writer: LogWriter, service: str
) -> None:
    start = datetime(2025, 6, 2, tzinfo=UTC)
    whole = Range(start, start + 30 * HOUR + timedelta(minutes=7))
    rows = [*drawn(service, whole, 2000, 2), log_row(ts=start, service=service)]
    writer.store(Batch("test", service, rows, []))
    filters = Filters(service=service)
    with snapshot(engine) as reading:
        found = networks(reading, whole, filters, most=4)
        by_method = methods(reading, whole, filters)
        course = traffic(reading, whole, filters, minutes=60, zone=SEOUL, complete=whole.end)
        one = networks(reading, whole, Filters(service=service, client_ip="10.24.1.0/24"), most=4)
    groups: dict[str, list[LogRow]] = {}
    for row in rows:
        if row.client_ip is not None:
            bits = 24 if "." in row.client_ip else 48
            groups.setdefault(str(ipaddress.ip_network(f"{row.client_ip}/{bits}", strict=False)), []).append(row)
    assert (found.total, found.found) == (len(rows), len(groups))
    assert found.without == sum(row.client_ip is None for row in rows)
    inside = [row for row in rows if (row.client_ip or "").startswith(("10.", "fd00"))]
    assert (found.internal, found.external) == (len(inside), len(rows) - len(inside) - found.without)
    assert [each.count for each in found.networks] == sorted(map(len, groups.values()), reverse=True)[:4]
    for each in found.networks:
        own = groups[each.network]
        assert each.count == len(own)
        assert each.clients == len({row.client_ip for row in own})
        assert each.client_errors == sum(400 <= row.status < 500 for row in own)
        assert each.server_errors == sum(row.status >= 500 for row in own)
        timed = [row.latency_ms for row in own if row.latency_ms is not None]
        assert each.mean_ms == pytest.approx(sum(timed) / len(timed))
    assert [(each.network, each.count) for each in one.networks] == [("10.24.1.0/24", len(groups["10.24.1.0/24"]))]
    assert {each.method: each.count for each in by_method} == Counter(row.method for row in rows)
    for method in by_method:
        timed = [row.latency_ms for row in rows if row.method == method.method and row.latency_ms is not None]
        assert method.latency.p95 == pytest.approx(np.percentile(timed, 95), rel=ERROR_BOUND + 1e-6)
    heat = latency_heat(course)
    edges = [bucket.start for bucket in course.buckets[1:]] + [whole.end]
    for bucket, end, counts in zip(course.buckets, edges, heat.counts, strict=True):
        timed = [row.latency_ms for row in rows if bucket.start <= moment(row.ts) < end and row.latency_ms is not None]
        assert counts == [sum(each.low_ms <= ms < each.high_ms for ms in timed) for each in heat.classes]


def test_nothing_stored_gives_nothing(engine: sa.Engine) -> None:
    whole = Range(datetime(2025, 6, 2, tzinfo=UTC), datetime(2025, 6, 3, tzinfo=UTC))
    with snapshot(engine) as reading:
        assert read_hours(reading, whole, Filters(service="nobody"), zone=SEOUL, complete=whole.end) == []
        found = networks(reading, whole, Filters(service="nobody"), most=4)
        assert (found.networks, found.found, found.total) == ([], 0, 0)
        assert methods(reading, whole, Filters(service="nobody")) == []
