"""Decide from which aggregate each part of a time range is read. Pure.

A range is cut into pieces that cover it exactly once: whole buckets of the coarsest level that fits,
finer levels beside them, rows of `access_log` for the ragged edges and for every touched minute, whose
rows the aggregates do not hold yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOST_TOUCHED_RANGES = 8


@dataclass(frozen=True, slots=True)
class Range:
    """The moments `start <= t < end`; both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """A continuous aggregate and the width of its buckets, aligned to UTC midnight."""

    view: str
    width: timedelta


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a range and the level that serves it; None: the rows themselves."""

    level: Level | None
    range: Range


TRAFFIC = (
    Level("traffic_1m", MINUTE),
    Level("traffic_1h", timedelta(hours=1)),
    Level("traffic_1d", timedelta(days=1)),
)
ENDPOINT = (
    Level("endpoint_10m", timedelta(minutes=10)),
    Level("endpoint_1h", timedelta(hours=1)),
    Level("endpoint_1d", timedelta(days=1)),
)


def floor(moment: datetime, width: timedelta) -> datetime:
    """Start of the bucket that holds a moment."""
    return moment - (moment - EPOCH) % width


def ceil(moment: datetime, width: timedelta) -> datetime:
    """Start of the first bucket at or after a moment."""
    return moment + (EPOCH - moment) % width


def plan(whole: Range, levels: Sequence[Level], touched: Sequence[Range] = ()) -> list[Piece]:
    """Cover a range with pieces, in order of time, none overlapping.

    Args:
        whole: the range; an empty one gives no piece.
        levels: what may be used, finest first, each width a multiple of the one before.
        touched: sorted, disjoint ranges that no level may serve.
    """
    if whole.start >= whole.end:
        return []
    if not levels:
        return [Piece(None, whole)]
    *finer, level = levels
    pieces: list[Piece] = []
    at = whole.start
    for clean in _clean_runs(whole, level, touched):
        pieces += plan(Range(at, clean.start), finer, touched)
        pieces.append(Piece(level, clean))
        at = clean.end
    pieces += plan(Range(at, whole.end), finer, touched)
    return _merged(pieces)


def usable_levels(levels: Sequence[Level], edges: Iterable[datetime]) -> list[Level]:
    """Levels whose buckets never straddle one of the edges of a chart."""
    moments = list(edges)
    return [level for level in levels if all(floor(edge, level.width) == edge for edge in moments)]


def touched_ranges(minutes: Sequence[datetime], *, most: int = MOST_TOUCHED_RANGES) -> list[Range]:
    """Join sorted touched minutes into few ranges.

    Reading more rows than necessary from `access_log` is never wrong, so close ranges are joined until
    at most `most` are left; that bounds the number of pieces.
    """
    ranges = [Range(minute, minute + MINUTE) for minute in minutes]
    gap = timedelta(0)
    while True:
        ranges = _joined(ranges, gap)
        if len(ranges) <= most:
            return ranges
        gap = gap * 2 + MINUTE


def _joined(ranges: Sequence[Range], gap: timedelta) -> list[Range]:
    joined: list[Range] = []
    for each in ranges:
        if joined and each.start - joined[-1].end <= gap:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    return joined


def _clean_runs(whole: Range, level: Level, touched: Sequence[Range]) -> list[Range]:
    """Runs of whole buckets of a level inside a range that no touched range overlaps."""
    runs = []
    at = ceil(whole.start, level.width)
    last = floor(whole.end, level.width)
    for dirty in touched:
        if dirty.end <= at:
            continue
        if dirty.start >= last:
            break
        runs.append(Range(at, min(last, floor(dirty.start, level.width))))
        at = max(at, ceil(dirty.end, level.width))
    runs.append(Range(at, last))
    return [run for run in runs if run.start < run.end]


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Join neighbours of the same level."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].level == piece.level and merged[-1].range.end == piece.range.start:
            merged[-1] = Piece(piece.level, Range(merged[-1].range.start, piece.range.end))
        else:
            merged.append(piece)
    return merged
