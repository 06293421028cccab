"""Decide from which aggregate each part of a time range is read. Pure.

A range is cut into pieces that cover it exactly once: whole buckets of the coarsest level that fits,
finer levels beside them and where a bucket is stale, rows of `access_log` for the ragged edges and for every
touched minute, whose rows the aggregates do not hold yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOST_RANGES = 8


@dataclass(frozen=True, slots=True)
class Range:
    """The moments `start <= t < end`; both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """A continuous aggregate, the width of its buckets, aligned to UTC midnight, and what it groups by beside them."""

    view: str
    width: timedelta
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a range and the level that serves it; None: the rows themselves."""

    level: Level | None
    range: Range


_FIVE_MINUTES, _TEN_MINUTES = timedelta(minutes=5), timedelta(minutes=10)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_BY_ROUTE = ("service", "method", "route")
_BY_STATUS = (*_BY_ROUTE, "status")
_FINE = (Level("endpoint_1m", MINUTE, _BY_STATUS), Level("endpoint_10m", _TEN_MINUTES, _BY_STATUS))
# Families of levels, finest first; the cheapest family that holds what a figure needs comes first.
TRAFFIC = tuple(
    Level(view, width, ("service", "status"))
    for view, width in (
        ("traffic_1m", MINUTE),
        ("traffic_5m", _FIVE_MINUTES),
        ("traffic_1h", _HOUR),
        ("traffic_1d", _DAY),
    )
)
ROUTE = (*_FINE, Level("route_1h", _HOUR, _BY_ROUTE), Level("route_1d", _DAY, _BY_ROUTE))
CLIENT = tuple(
    Level(view, width, ("service", "client_ip")) for view, width in (("client_1h", _HOUR), ("client_1d", _DAY))
)
ENDPOINT = (*_FINE, Level("endpoint_1h", _HOUR, _BY_STATUS), Level("endpoint_1d", _DAY, _BY_STATUS))
_FAMILIES = (TRAFFIC, ROUTE, CLIENT, ENDPOINT)


def levels_for(columns: set[str]) -> tuple[Level, ...]:
    """Levels that hold all these columns, finest first; none where only the rows do."""
    return next((levels for levels in _FAMILIES if columns <= {*levels[-1].columns}), ())


def floor(moment: datetime, width: timedelta) -> datetime:
    """Start of the bucket that holds a moment."""
    return moment - (moment - EPOCH) % width


def ceil(moment: datetime, width: timedelta) -> datetime:
    """Start of the first bucket at or after a moment."""
    return moment + (EPOCH - moment) % width


def plan(
    whole: Range,
    levels: Sequence[Level],
    touched: Sequence[Range] = (),
    stale: Mapping[str, Sequence[Range]] | None = None,
) -> list[Piece]:
    """Cover a range with pieces, in order of time, none overlapping.

    Args:
        whole: the range; an empty one gives no piece.
        levels: what may be used, finest first, each width a multiple of the one before.
        touched: sorted, disjoint ranges that no level may serve.
        stale: the same for single levels, by view.
    """
    if whole.start >= whole.end:
        return []
    if not levels:
        return [Piece(None, whole)]
    *finer, level = levels
    pieces: list[Piece] = []
    at = whole.start
    for clean in _clean_runs(whole, level, joined([*touched, *(stale or {}).get(level.view, ())])):
        pieces += plan(Range(at, clean.start), finer, touched, stale)
        pieces.append(Piece(level, clean))
        at = clean.end
    pieces += plan(Range(at, whole.end), finer, touched, stale)
    return _merged(pieces)


def kept(pieces: Iterable[Piece], rows_from: datetime) -> tuple[list[Piece], list[Range]]:
    """Pieces that can be read where older rows are no longer kept, and the ranges that cannot."""
    found, lost = [], []
    for piece in pieces:
        if piece.level is not None or piece.range.start >= rows_from:
            found.append(piece)
            continue
        lost.append(Range(piece.range.start, min(piece.range.end, rows_from)))
        if piece.range.end > rows_from:
            found.append(Piece(None, Range(rows_from, piece.range.end)))
    return found, lost


def usable_levels(levels: Sequence[Level], edges: Iterable[datetime]) -> list[Level]:
    """Levels whose buckets never straddle one of the edges of a chart."""
    moments = list(edges)
    return [level for level in levels if all(floor(edge, level.width) == edge for edge in moments)]


def few(ranges: Sequence[Range], *, most: int = MOST_RANGES) -> list[Range]:
    """Join ranges until there are at most `most`; sorted and disjoint.

    Reading more from a finer source than necessary is never wrong, and few ranges make few pieces.
    """
    gap = timedelta(0)
    while True:
        found = joined(ranges, gap)
        if len(found) <= most:
            return found
        gap = gap * 2 + MINUTE


def joined(ranges: Iterable[Range], gap: timedelta = timedelta(0)) -> list[Range]:
    """Sort ranges and join those that overlap or are no further apart than `gap`."""
    found: list[Range] = []
    for each in sorted(ranges, key=lambda one: one.start):
        if found and each.start - found[-1].end <= gap:
            found[-1] = Range(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


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
