"""Latencies of the last minutes, as few numbers as there are, and the medians of the last days. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashapp.insight import limits as limit
from dashapp.insight.baseline import SKETCH, middle
from dashapp.insight.likelihood import Floats
from dashapp.insight.minute import Counts, Minute
from dashapp.insight.table import Grown

KEPT = limit.LONGEST + 30
_DAYS = 8
_PER_DAY = 1440 // limit.BLOCK
_BLOCKS = _DAYS * _PER_DAY
_FEWEST = 8  # requests of a block that has a median
_RAMP_BLOCKS = 54
# Blocks of the last hours, before the longest window; and how many of them tell what is usual now.
_RECENT_FROM, _RECENT_TO, _RECENT_FEWEST = 18, 6, 4
_BAND_REACH = 3  # blocks that are looked at from the beginning on
_PARTS = (0.0, 0.25, 0.5, 0.75)
_SIDE = 6  # blocks beside the band that belong to neither


class _Minute(NamedTuple):
    number: int
    rows: Counts
    slots: Counts
    counts: Counts


class Sketches:
    """Who was how slow in the last minutes."""

    def __init__(self) -> None:
        """Start empty."""
        self._minutes: deque[_Minute] = deque()

    def add(self, number: int, rows: Counts, latencies: Counts) -> None:
        """Take in a minute."""
        at, slots = np.nonzero(latencies)
        self._minutes.append(_Minute(number, rows[at], slots, latencies[at, slots]))
        while self._minutes[0].number <= number - KEPT:
            self._minutes.popleft()

    def forget(self) -> None:
        """Forget all."""
        self._minutes.clear()

    def minute(self, number: int) -> tuple[Counts, Counts, Counts] | None:
        """Rows, slots and requests of a minute, each pair once."""
        found = next((each for each in self._minutes if each.number == number), None)
        return None if found is None else (found.rows, found.slots, found.counts)

    def total(self, rows: Counts, first: int, last: int | None = None) -> Floats:
        """Sketch of some rows together from a minute on."""
        found = np.zeros(SKETCH)
        for each in self._minutes:
            if each.number < first or (last is not None and each.number > last):
                continue
            mine = np.isin(each.rows, rows) if rows.size > 1 else each.rows == rows
            found += np.bincount(each.slots[mine], each.counts[mine], minlength=SKETCH)
        return found


class Medians:
    """The median slot of each row by block of ten minutes, over eight days."""

    def __init__(self) -> None:
        """Start empty."""
        self.arrays = Grown()
        self.arrays.make("median", (_BLOCKS,), np.nan, np.float32)
        self.arrays.make("sum", (SKETCH,), 0, np.int64)
        self._block: int | None = None

    def fit(self, rows: int) -> None:
        """Make room for so many rows."""
        self.arrays.fit(rows)

    def add_hour(self, hour: Minute, rows: Counts) -> None:
        """Take in an hour of the history: all its blocks are alike."""
        first = _block_of(hour.start)
        blocks = max(1, int(hour.width.total_seconds() // (60 * limit.BLOCK)))
        known = hour.latencies.sum(axis=1) >= _FEWEST * blocks
        value = np.where(known, middle(hour.latencies), np.nan)
        for block in range(first, first + blocks):
            self._open(block)
            self.arrays["median"][rows, block % _BLOCKS] = value
        self.arrays["sum"][:] = 0

    def add(self, start: datetime, rows: Counts, latencies: Counts) -> None:
        """Take in a minute."""
        block = _block_of(start)
        if block != self._block:
            self._close()
            self._open(block)
        np.add.at(self.arrays["sum"], rows, latencies)

    def least(self, row: int, usual: float) -> float:
        """The usual median slot, or that of the last hours where it is lower; nan where none is known."""
        if self._block is None or np.isnan(usual):
            return usual
        at = np.arange(self._block - _RECENT_FROM, self._block - _RECENT_TO)
        known = self.arrays["median"][row, at % _BLOCKS]
        known = known[np.isfinite(known)]
        return min(usual, float(np.median(known))) if known.size >= _RECENT_FEWEST else usual

    def is_drift(self, row: int, usual: float) -> int | None:
        """Blocks since which a row has slowly become slower, None where it did so in one step or not at all."""
        series = self._series(row, _RAMP_BLOCKS)
        known = np.isfinite(series)
        if known.sum() < 2 * limit.DRIFT_BLOCKS:
            return None
        at, level = np.arange(len(series))[known], series[known].astype(np.float64)
        level = np.concatenate([[usual] * 3, level]) if np.isfinite(usual) else level
        at = np.concatenate([[at[0] - 3, at[0] - 2, at[0] - 1], at]) if np.isfinite(usual) else at
        # A step may begin anywhere in a block.
        step = min(_rest(level, np.where(at >= s, 1.0, part * (at == s - 1))) for s in at[1:] for part in _PARTS)
        ramps = [(_rest(level, np.maximum(at - s, 0.0)), int(s)) for s in at[: -limit.DRIFT_BLOCKS]]
        ramp, since = min(ramps)
        last = int(at[-1])
        if ramp >= limit.DRIFT_BETTER * step or last - since < limit.DRIFT_BLOCKS:
            return None
        return last - since

    def days_slow(self, row: int, start: datetime, least: float) -> list[int]:
        """Days before, 1 for yesterday, on which a row was slow at the same time of day and not at others."""
        median = self.arrays["median"][row]
        first, newest = _block_of(start), self._block
        if newest is None:
            return []
        found = []
        for day in range(1, _DAYS):
            begin = first - day * _PER_DAY
            inside = np.arange(begin, begin + _BAND_REACH)
            around = np.arange(begin - _PER_DAY // 2, begin + _PER_DAY // 2)
            around = around[(around < begin - _SIDE) | (around >= begin + _BAND_REACH + 2 * _SIDE)]
            oldest = newest - _BLOCKS + 1
            inside, around = inside[inside > oldest], around[(around > oldest) & (around <= newest)]
            if not inside.size or around.size < _PER_DAY // 4:
                continue
            here, there = median[inside % _BLOCKS], median[around % _BLOCKS]
            if np.isfinite(here).sum() * 2 <= here.size or np.isfinite(there).sum() < _PER_DAY // 8:
                continue
            if np.nanmedian(here) - np.nanmedian(there) >= least:
                found.append(day)
        return found

    def _series(self, row: int, blocks: int) -> npt.NDArray[np.float32]:
        if self._block is None:
            return np.zeros(0, np.float32)
        at = np.arange(self._block - blocks, self._block)
        series = self.arrays["median"][row, at % _BLOCKS]
        newest = self.arrays["sum"][row]
        if newest.sum() >= 2 * _FEWEST:
            series = np.append(series, middle(newest[None]))
        return np.asarray(series, np.float32)

    def _open(self, block: int) -> None:
        if self._block is not None and 0 < block - self._block < _BLOCKS:
            skipped = np.arange(self._block + 1, block + 1) % _BLOCKS
            self.arrays["median"][:, skipped] = np.nan
        elif self._block is not None and block != self._block:
            self.arrays["median"][:] = np.nan
        self._block = block

    def _close(self) -> None:
        total = self.arrays["sum"]
        if self._block is not None:
            known = total.sum(axis=1) >= _FEWEST
            if known.any():
                self.arrays["median"][known, self._block % _BLOCKS] = middle(total[known])
        total[:] = 0


def _block_of(start: datetime) -> int:
    return int(start.timestamp() // (60 * limit.BLOCK))


def _rest(level: Floats, shape: Floats) -> float:
    """What is left of a series after the best multiple of a shape and a constant are taken away."""
    centred, form = level - level.mean(), shape - shape.mean()
    square = float(form @ form)
    rest = centred - (float(centred @ form) / square) * form if square > 0 else centred
    return float(rest @ rest)
