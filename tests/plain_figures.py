"""What the answers of the read API must say, calculated plainly over the rows that were stored."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sql.batch import LogRow
from sql.plan import Range
from sql.sketch import ERROR_BOUND, HIGHEST_MS, LOWEST_MS
from tests.plain import slot_of
from tests.rows import moment

Json = Any
Rows = Sequence[LogRow]
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
CLASSES = {"1xx": (0, 200), "2xx": (200, 300), "3xx": (300, 400), "4xx": (400, 500), "5xx": (500, 1000)}
HALF_HOUR = timedelta(minutes=30)
ENOUGH_CALLS = 20


def within(rows: Rows, start: datetime, end: datetime) -> list[LogRow]:
    return [row for row in rows if start <= moment(row.ts) < end]


def grouped(rows: Rows, key: Callable[[LogRow], Hashable]) -> dict[Any, list[LogRow]]:
    groups: dict[Any, list[LogRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def counted(rows: Rows, least: int = 400, limit: int = 1000) -> int:
    return sum(least <= row.status < limit for row in rows)


def classes(rows: Rows) -> dict[str, int]:
    found = {name: counted(rows, *codes) for name, codes in CLASSES.items()}
    return {name: n for name, n in found.items() if n or name != "1xx"}


def mean_ms(rows: Rows) -> Any:
    """Of whole microseconds, as they are summed."""
    values = [round(row.latency_ms * 1000) for row in rows if row.latency_ms is not None]
    return pytest.approx(sum(values) / len(values) / 1000) if values else None


def check_latency(said: Mapping[str, Any], rows: Rows, suffix: str = "_ms") -> None:
    """Mean and maximum are exact, percentiles as near to those of numpy as is promised."""
    values = sorted(row.latency_ms for row in rows if row.latency_ms is not None)
    assert said[f"mean{suffix}"] == mean_ms(rows)
    assert said[f"max{suffix}"] == (values[-1] if values else None)
    for name, share in PERCENTILES.items():
        check_percentile(said[name + suffix], rows, share)


def check_percentile(found: Any, rows: Rows, share: float) -> None:
    """One percentile, or null where no row has a latency."""
    values = sorted(row.latency_ms for row in rows if row.latency_ms is not None)
    if not values:
        assert found is None
        return
    rank = share / 100 * (len(values) - 1)
    low, high = values[math.floor(rank)], values[math.ceil(rank)]
    assert 0 <= found <= values[-1]
    if high > HIGHEST_MS:
        return
    slack = 0.0 if low >= LOWEST_MS else LOWEST_MS / 2
    assert abs(found - float(np.percentile(values, share))) <= (ERROR_BOUND + 1e-6) * high + slack + 1e-9, share
    if low >= LOWEST_MS:
        assert found == pytest.approx(float(np.percentile(values, share)), rel=ERROR_BOUND + 1e-6), share


def check_sums(said: Mapping[str, Any], rows: Rows) -> None:
    """Whatever of the usual sums a part of an answer has."""
    expected = {
        "total": len(rows),
        "count": len(rows),
        "errors": counted(rows),
        "client_errors": counted(rows, 400, 500),
        "server_errors": counted(rows, 500),
        "error_rate": pytest.approx(counted(rows) / len(rows)) if rows else None,
        "bytes": sum(row.bytes or 0 for row in rows),
    }
    names = expected.keys() & said.keys()
    assert {name: said[name] for name in names} == {name: expected[name] for name in names}


def check_summary(said: Json, rows: Rows) -> None:
    check_sums(said, rows)
    check_latency(said["latency_ms"], rows, "")
    longest = max((row.latency_ms for row in rows if row.latency_ms is not None), default=0.0)
    assert said["latency_ms"]["error_bound"] == (round(ERROR_BOUND, 4) if longest <= HIGHEST_MS else None)


# ---- over time ----


def starts_of_buckets(whole: Range, minutes: int, zone: ZoneInfo) -> list[datetime]:
    """Buckets count from the local midnight before the range; whole days follow the calendar."""
    day = whole.start.astimezone(zone).date()
    starts = []
    if minutes % 1440 == 0:
        while _midnight(day, zone) < whole.end:
            starts.append(_midnight(day, zone))
            day += timedelta(days=minutes // 1440)
        return starts
    at, width = _midnight(day, zone), timedelta(minutes=minutes)
    while at < whole.end:
        if at + width > whole.start:
            starts.append(at)
        at += width
    return starts


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def first_minute(everything: Rows, service: str | None) -> datetime | None:
    """From the minute of the first request of a service on something is known of it."""
    moments = [moment(row.ts) for row in everything if service is None or row.service == service]
    return min(moments).replace(second=0, microsecond=0) if moments else None


def check_buckets(
    said: Sequence[Json],
    rows: Rows,
    whole: Range,
    starts: Sequence[datetime],
    known: tuple[datetime | None, datetime],
    *,
    only_errors: bool = False,
) -> None:
    assert [datetime.fromisoformat(bucket["start"]) for bucket in said] == list(starts)
    first, complete = known
    for bucket, start, end in zip(said, starts, [*starts[1:], whole.end], strict=True):
        figures = {name: value for name, value in bucket.items() if name != "start"}
        if first is None or end <= first or end > complete:
            assert set(map(str, figures.values())) <= {"None", "{}"}, bucket
            continue
        inside = within(rows, max(start, whole.start), end)
        check_sums(bucket, inside)
        if not only_errors:
            assert bucket["classes"] == classes(inside)
            check_latency(bucket, inside)


def check_hours(
    said: Sequence[Json], rows: Rows, whole: Range, zone: ZoneInfo, known: tuple[datetime | None, datetime]
) -> None:
    """Hours of the week by the clock of the viewer, half an hour at a time: no clock changes by less."""
    first, complete = known
    assert [(hour["weekday"], hour["hour"]) for hour in said] == [(day, hour) for day in range(7) for hour in range(24)]
    covered: Counter[tuple[int, int]] = Counter()
    start, end = (max(whole.start, first), min(whole.end, complete)) if first else (whole.end, whole.end)
    at = start
    while at < end:
        until = min(end, at + HALF_HOUR - (at - at.replace(minute=0, second=0, microsecond=0)) % HALF_HOUR)
        covered[_place(at, zone)] += (until - at) // timedelta(microseconds=1)
        at = until
    groups = grouped(within(rows, start, end), lambda row: _place(moment(row.ts), zone))
    for hour in said:
        place = hour["weekday"], hour["hour"]
        inside = groups.get(place, [])
        assert hour["covered_minutes"] == pytest.approx(covered[place] / 6e7), place
        if not covered[place]:
            assert (hour["total"], hour["errors"], hour["mean_ms"]) == (None, None, None)
            continue
        check_sums({name: value for name, value in hour.items() if name in ("total", "errors", "error_rate")}, inside)
        assert hour["mean_ms"] == mean_ms(inside)
        check_percentile(hour["p95_ms"], inside, 95)


def _place(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    local = at.astimezone(zone)
    return local.weekday(), local.hour


# ---- by group ----


def check_groups(
    said: Sequence[Json],
    rows: Rows,
    by: Sequence[str],
    *,
    limit: int | None = None,
    latency: bool = True,
    rank: Callable[[Rows], int] = len,
) -> None:
    """Each group once with its sums; the first ones by rank where there is a limit."""
    groups = grouped(rows, lambda row: tuple(getattr(row, name) for name in by))
    keys = [tuple(part[name] for name in by) for part in said]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(groups)
    ranks = sorted(map(rank, groups.values()), reverse=True)
    assert [rank(groups[key]) for key in keys] == ranks[:limit]
    for key, part in zip(keys, said, strict=True):
        check_sums(part, groups[key])
        if "share" in part:
            assert part["share"] == pytest.approx(len(groups[key]) / len(rows))
        if latency:
            check_latency(part, groups[key])


def check_slowest(said: Sequence[Json], rows: Rows, most: int) -> None:
    """Exactly the slowest, of equally slow ones the newest."""
    timed = [row for row in rows if row.latency_ms is not None]
    expected = sorted(((row.latency_ms, moment(row.ts)) for row in timed), reverse=True)[:most]
    assert [(each["latency_ms"], datetime.fromisoformat(each["ts"])) for each in said] == expected
    there = Counter(map(_shown, timed))
    assert not Counter(_shown_of(each) for each in said) - there


def _shown(row: LogRow) -> tuple[Any, ...]:
    return row.service, row.method, row.path, row.route, row.status, row.latency_ms, row.bytes, row.client_ip


def _shown_of(said: Json) -> tuple[Any, ...]:
    names = ("service", "method", "path", "route", "status", "latency_ms", "bytes", "client_ip")
    return tuple(said[name] for name in names)


def check_slow_endpoints(said: Sequence[Json], rows: Rows, most: int) -> None:
    groups = grouped(rows, lambda row: (row.method, row.route))
    timed = {key: [row for row in group if row.latency_ms is not None] for key, group in groups.items()}
    timed = {key: group for key, group in timed.items() if group}
    everything = sum(round(row.latency_ms * 1000) for group in timed.values() for row in group if row.latency_ms)
    keys = [(part["method"], part["route"]) for part in said]
    assert len(set(keys)) == len(keys) == min(most, len(timed))
    for key, part in zip(keys, said, strict=True):
        check_sums(part, groups[key])
        check_latency(part, groups[key])
        spent = sum(round(row.latency_ms * 1000) for row in timed[key] if row.latency_ms)
        assert part["time_ms"] == pytest.approx(spent / 1000)
        assert part["time_share"] == pytest.approx(spent / everything if everything else 0)
        assert part["enough_calls"] == (len(timed[key]) >= ENOUGH_CALLS)
    order = [(part["enough_calls"], part["p95_ms"]) for part in said]
    assert order == sorted(order, reverse=True)
    assert sum(enough for enough, _ in order) == min(most, sum(len(group) >= ENOUGH_CALLS for group in timed.values()))


def check_common(said: Sequence[Json], rows: Rows, zone: ZoneInfo) -> None:
    """The share of everything that a value has, where it is known."""
    for each in said:
        if each["share_overall"] is None:
            continue
        if each["field"] == "hour":
            n = sum(moment(row.ts).astimezone(zone).hour == each["value"] for row in rows)
        else:
            n = sum(getattr(row, each["field"]) == each["value"] for row in rows)
        assert each["share_overall"] == pytest.approx(n / len(rows)), each
        assert each["share_in_slowest"] > each["share_overall"]


def check_distribution(said: Iterable[Json], rows: Rows) -> None:
    slots = Counter(slot_of(row.latency_ms) for row in rows if row.latency_ms is not None)
    assert [part["count"] for part in said] == [slots[slot] for slot in sorted(slots)]


def check_arrived(said: Sequence[Json], rows: Rows, limit: int) -> None:
    moments = [datetime.fromisoformat(each["ts"]) for each in said]
    assert moments == sorted((moment(row.ts) for row in rows), reverse=True)[:limit]
    if len(rows) <= limit:
        assert Counter(_shown_of(each) for each in said) == Counter(map(_shown, rows))
