"""Sums of cells, and what follows from them: rates, means and quantiles. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sql.reading import Cell
from sql.sketch import ERROR_BOUND, HIGHEST_MS, Sketch, quantiles_ms

QUANTILES = (0.5, 0.9, 0.95, 0.99)
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
NOTABLE_SERVER_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of some requests in ms; None throughout where no request has one.

    `error_bound` is the largest relative error of a percentile, None where one may lie beyond the sketch
    (`sql.sketch.HIGHEST_MS`); mean and maximum are exact.
    """

    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    error_bound: float | None = round(ERROR_BOUND, 4)


@dataclass(slots=True)
class Tally:
    """Running sums over cells."""

    n: int = 0
    client_errors: int = 0
    server_errors: int = 0
    bytes: int = 0
    n_lat: int = 0
    us: int = 0
    mx: float | None = None
    sketch: Sketch | None = None

    def add(self, cell: Cell) -> None:
        """Add a cell."""
        self.n += cell.n
        self.bytes += cell.bytes
        self.n_lat += cell.n_lat
        self.us += cell.us
        if cell.sketch is not None:
            self.sketch = cell.sketch if self.sketch is None else self.sketch + cell.sketch
        if cell.mx is not None:
            self.mx = cell.mx if self.mx is None else max(self.mx, cell.mx)
        self.client_errors += cell.classes[3]
        self.server_errors += cell.classes[4]

    def merge(self, other: Tally) -> None:
        """Add the sums of another tally."""
        self.n += other.n
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.bytes += other.bytes
        self.n_lat += other.n_lat
        self.us += other.us
        if other.mx is not None:
            self.mx = other.mx if self.mx is None else max(self.mx, other.mx)
        if other.sketch is not None:
            self.sketch = other.sketch if self.sketch is None else self.sketch + other.sketch

    @property
    def errors(self) -> int:
        """Requests with a status of 400 or above."""
        return self.client_errors + self.server_errors

    @property
    def error_rate(self) -> float | None:
        """Errors by requests, 0 to 1; None without requests."""
        return self.errors / self.n if self.n else None

    @property
    def mean_ms(self) -> float | None:
        """Exact mean latency in ms; None where no request has one."""
        return self.us / self.n_lat / 1000 if self.n_lat else None

    def quantiles_ms(self, *quantiles: float) -> list[float]:
        """Quantiles in ms, for sums that have a sketch; 0 throughout otherwise."""
        if self.sketch is None or self.mx is None:
            return [0.0] * len(quantiles)
        return quantiles_ms(self.sketch, quantiles, maximum_ms=self.mx)

    def latency(self) -> Latency:
        """Mean, percentiles and maximum in ms; no percentiles where none were read."""
        if self.mx is None:
            return Latency()
        if self.sketch is None:
            return Latency(mean=self.mean_ms, max=self.mx)
        p50, p90, p95, p99 = self.quantiles_ms(*QUANTILES)
        bound = round(ERROR_BOUND, 4) if self.mx <= HIGHEST_MS else None
        return Latency(self.mean_ms, p50, p90, p95, p99, self.mx, bound)


def is_notable(server_errors: int, count: int) -> bool:
    """Tell whether the server fails a share of requests that is worth a look; mistakes of clients are not its own."""
    return server_errors > NOTABLE_SERVER_SHARE * count


def tally_by(cells: Iterable[Cell]) -> dict[tuple[Any, ...], Tally]:
    """Sum cells by their keys, in the order in which the keys first appear."""
    tallies: dict[tuple[Any, ...], Tally] = {}
    for cell in cells:
        tallies.setdefault(cell.keys, Tally()).add(cell)
    return tallies


def named_classes(counts: Iterable[tuple[int, ...]]) -> dict[str, int]:
    """Requests by the name of their class: "2xx" to "5xx", and "1xx" where there are any."""
    sums = [sum(each) for each in zip(*counts, strict=True)] or [0] * len(CLASSES)
    return {name: n for name, n in zip(CLASSES, sums, strict=True) if n or name != "1xx"}
