"""What the slow or the failed requests of a view have in common, read from a bounded number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from dashapp.stats.commonalities import Commonality, Traits, commonalities, ranked, time_band, traits
from dashapp.stats.summary import Summary
from dashapp.time_range import bucket_minutes, bucket_starts
from sql.connection import Reading
from sql.filters import Filters
from sql.freshness import freshness
from sql.plan import Range
from sql.reading import breakdown
from sql.sample import SampledRequest, Slice, sample
from sql.slowest import SlowRequest

Among = Literal["slow", "failed"]
AMONG: tuple[Among, ...] = ("slow", "failed")
MOST_SLOW = 60
MOST_COMPARED = 1_000
# Rows of any endpoint that are looked at to find those to compare with.
SCANNED_ROWS = 50_000
FEWEST = 5
_SLICES = 48
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Common:
    """What `examined` slow or failed requests have in common that the `compared` others have less often.

    `from_ms` is the least latency of the slow ones, `failed_from` the least status of the failed ones. The others
    are drawn from the `scanned` rows of the `stored` ones of the range, spread over it by their number.
    """

    among: Among
    found: list[Commonality]
    examined: int
    compared: int
    from_ms: float | None
    failed_from: int | None
    scanned: int
    stored: int


def slow_count(total: int) -> int:
    """How many requests of an endpoint are its slow ones: a hundredth, or 20 where a quarter is as many; few enough."""
    return min(MOST_SLOW, max(min(20, total // 4), total // 100))


def endpoint_common(
    reading: Reading,
    whole: Range,
    filters: Filters,
    *,
    among: Among,
    total: Summary,
    slowest: list[SlowRequest],
    minutes: int,
    zone: ZoneInfo,
) -> Common:
    """Compare the slow or the failed requests with the others.

    Args:
        reading: one snapshot.
        whole: the range.
        filters: what is looked at, such as an endpoint.
        among: which requests.
        total: the key figures of the same.
        slowest: its slowest requests, at least `slow_count` of them.
        minutes: width of the buckets in which a time is sought.
        zone: of the viewer.
    """
    failed_from = None
    if among == "failed":
        # A handful of server errors among many refused requests would say little.
        failed_from = _SERVER_ERROR if total.server_errors >= _ENOUGH else _CLIENT_ERROR
    slices, stored = slices_of(reading, whole, zone)
    rows = sample(reading, slices, filters, most=MOST_COMPARED, failed_from=failed_from)
    inside: Sequence[SampledRequest | SlowRequest]
    from_ms = None
    if failed_from is None:
        inside = slowest[: slow_count(total.total)]
        from_ms = inside[-1].latency_ms if inside else None
        outside = [
            row for row in rows if from_ms is not None and row.latency_ms is not None and row.latency_ms < from_ms
        ]
    else:
        inside = [row for row in rows if row.status >= failed_from]
        outside = [row for row in rows if row.status < failed_from]
    found = []
    if len(inside) >= FEWEST:
        # That failed requests have the status of a failure is what they were chosen by.
        left_out = () if failed_from is None else ("status",)
        found = commonalities(*(_traits(side, left_out) for side in (inside, outside)))
        starts = bucket_starts(whole, minutes, zone)
        band = time_band(_moments(inside), _moments(outside), starts, whole.end)
        found = ranked([*found, *([band] if band else [])])
    scanned = sum(each.rows for each in slices)
    return Common(among, found, len(inside), len(outside), from_ms, failed_from, scanned, stored)


def _traits(rows: Sequence[SampledRequest | SlowRequest], left_out: Sequence[str]) -> list[Traits]:
    return [{name: value for name, value in traits(row).items() if name not in left_out} for row in rows]


def _moments(rows: Sequence[SampledRequest | SlowRequest]) -> list[datetime]:
    return [row.ts for row in rows]


def slices_of(reading: Reading, whole: Range, zone: ZoneInfo) -> tuple[list[Slice], int]:
    """Parts of a range, each with the same share of its rows to look at, SCANNED_ROWS of all; and the rows of all."""
    kept = Range(max(whole.start, freshness(reading, whole).rows_from), whole.end)
    if kept.start >= kept.end:
        return [], 0
    starts = bucket_starts(kept, bucket_minutes(kept, most=_SLICES), zone)
    edges = [kept.start, *starts[1:], kept.end]
    counts = {cell.slot: cell.n for cell in breakdown(reading, kept, Filters(), edges=starts[1:], sketches=False)}
    stored = sum(counts.values())
    ranges = [Range(start, end) for start, end in pairwise(edges)]
    looked_at = (
        min(counts.get(i, 0), -(-counts.get(i, 0) * SCANNED_ROWS // max(stored, 1))) for i in range(len(ranges))
    )
    return [Slice(each, n) for each, n in zip(ranges, looked_at, strict=True)], stored
