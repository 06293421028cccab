"""What is usual of each endpoint: how many of its requests fail, and how long they take. Pure.

Sums in which what is a day older weighs half as much. A minute is added an hour late, and not at all where something
was found in it, so that a deviation does not become its own measure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dashapp.insight.likelihood import Floats
from dashapp.insight.limits import (
    FEWEST_BASELINE,
    FEWEST_LATENCIES,
    TAIL_BEYOND,
    TAIL_SHARE,
    TOLERATED_MORE_4XX,
    TOLERATED_MORE_5XX,
    TOLERATED_RATIO_4XX,
    TOLERATED_RATIO_5XX,
    TOLERATED_SLOTS,
    TOLERATED_TAIL,
    TOLERATED_TAIL_MORE,
    TOLERATED_TAIL_SLOTS,
)
from dashapp.insight.minute import Counts
from dashapp.insight.table import Grown
from sql.sketch import SLOTS

Bools = npt.NDArray[np.bool_]
SKETCH = SLOTS + 2
_SLOT = np.arange(SKETCH)
# Before an endpoint shows what it does, it is taken for one of which so much fails.
_PRIOR_WEIGHT, _PRIOR_SERVER, _PRIOR_CLIENT = 20.0, 0.003, 0.02


class Baseline:
    """Sums by endpoint, and what follows from them; call `settle` after sums changed."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.arrays = Grown()
        for name in ("n", "server", "client"):
            self.arrays.make(name)
        self.arrays.make("sketch", (SKETCH,))
        # Usual shares of 5xx and 4xx, and those that are put up with.
        for name in ("server_share", "server_most", "client_share", "client_most"):
            self.arrays.make(name)
        # Slots above which requests are counted, the usual share above, and the share that is put up with.
        for name in ("mid", "tail"):
            self.arrays.make(f"{name}_slot", (), SKETCH, np.int64)
            self.arrays.make(f"{name}_share")
            self.arrays.make(f"{name}_most")
        self.arrays.make("median", (), np.nan)
        self.arrays.make("judged", (), False, np.bool_)
        self.arrays.make("timed", (), False, np.bool_)

    def fit(self, rows: int) -> None:
        """Make room for so many rows."""
        self.arrays.fit(rows)

    def fade(self, factor: float) -> None:
        """Let what is known weigh less."""
        for name in ("n", "server", "client", "sketch"):
            self.arrays[name][:] *= factor

    def add(self, rows: Counts, n: npt.NDArray[Any], server: npt.NDArray[Any], client: npt.NDArray[Any]) -> None:
        """Add requests of endpoints; no row twice."""
        for name, values in (("n", n), ("server", server), ("client", client)):
            self.arrays[name][rows] += values

    def add_sketch(self, rows: Counts, slots: Counts, counts: Counts) -> None:
        """Add latencies: parallel arrays, no pair of row and slot twice."""
        self.arrays["sketch"][rows, slots] += counts

    def replace(self, row: int, n: float, server: float, client: float, sketch: npt.NDArray[Any] | None) -> None:
        """Take something else for usual."""
        for name, value in (("n", n), ("server", server), ("client", client)):
            self.arrays[name][row] = value
        if sketch is not None:
            self.arrays["sketch"][row] = sketch

    def settle(self, rows: int) -> None:
        """Work out what is usual."""
        get = self.arrays
        n = get["n"][:rows]
        get["judged"][:rows] = n >= FEWEST_BASELINE
        for name, prior, ratio, more in (
            ("server", _PRIOR_SERVER, TOLERATED_RATIO_5XX, TOLERATED_MORE_5XX),
            ("client", _PRIOR_CLIENT, TOLERATED_RATIO_4XX, TOLERATED_MORE_4XX),
        ):
            failed = get[name][:rows]
            share = (failed + prior * _PRIOR_WEIGHT) / (n + _PRIOR_WEIGHT)
            # What the share may well be, given how little is known of it.
            unsure = np.sqrt(failed + 1) / (n + _PRIOR_WEIGHT)
            get[f"{name}_share"][:rows] = share
            get[f"{name}_most"][:rows] = np.minimum(ratio * (share + unsure) + more, 1.0)
        self._settle_latencies(rows)

    def _settle_latencies(self, rows: int) -> None:
        get = self.arrays
        sketch = get["sketch"][:rows]
        total = sketch.sum(axis=1)
        get["timed"][:rows] = get["judged"][:rows] & (total >= FEWEST_LATENCIES)
        below = np.cumsum(sketch, axis=1) / np.maximum(total, 1e-9)[:, None]
        above = 1.0 - below  # share of what lies in higher slots
        every = np.arange(rows)
        for name, share, beyond, slots, times, more in (
            ("mid", 0.5, TOLERATED_SLOTS, TOLERATED_SLOTS, 1.0, 0.0),
            ("tail", TAIL_SHARE, TAIL_BEYOND, TOLERATED_TAIL_SLOTS, TOLERATED_TAIL, TOLERATED_TAIL_MORE),
        ):
            usual = np.argmax(below >= share - 1e-12, axis=1)
            limit = np.minimum(usual + beyond, SKETCH - 1)
            get[f"{name}_slot"][:rows] = limit
            # Half a request more than is known: nothing is impossible.
            least = 0.5 / np.maximum(total, 1.0)
            get[f"{name}_share"][:rows] = np.maximum(above[every, limit], least)
            get[f"{name}_most"][:rows] = np.clip(
                times * above[every, np.maximum(limit - slots, 0)] + more, 2 * least, 0.95
            )
        get["median"][:rows] = np.where(total > 0, middle(sketch), np.nan)

    def sketch(self, row: int) -> Floats:
        """Usual latencies of an endpoint."""
        found: Floats = self.arrays["sketch"][row]
        return found


def above(latencies: Counts, slots: Counts) -> Counts:
    """Requests by row in slots higher than the one of the row."""
    found: Counts = np.where(_SLOT[None] > slots[:, None], latencies, 0).sum(axis=1)
    return found


def middle(sketch: npt.NDArray[Any], share: float = 0.5) -> Floats:
    """Slot of a quantile by row, with the fraction of the slot; nan without requests."""
    total = sketch.sum(axis=1)
    seen = np.cumsum(sketch, axis=1)
    want = share * total
    at = np.argmax(seen >= np.maximum(want, 1e-12)[:, None], axis=1)
    every = np.arange(len(sketch))
    inside = sketch[every, at]
    part = (want - (seen[every, at] - inside)) / np.maximum(inside, 1e-12)
    found: Floats = np.where(total > 0, at + np.clip(part, 0.0, 1.0), np.nan)
    return found
