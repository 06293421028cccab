"""Who asked in the last hour: requests by network and client, to tell whether what fails or grows is of one of them.

It names networks of which much fails, on whatever endpoints; `clients.py` names what clients do. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashapp.insight.addresses import network_of_address
from dashapp.insight.chance import adjusted
from dashapp.insight.likelihood import Floats, chance, more_share, onset
from dashapp.insight.limits import (
    CROWDED,
    LIKELY_BY_CHANCE,
    LONGEST,
    NETWORK_FAILURES,
    NETWORK_RATIO,
    NETWORK_SHARE,
    TOLERATED_MORE_5XX,
    TOLERATED_RATIO_5XX,
)
from dashapp.insight.minute import ClientMinute, Counts

_KEPT = LONGEST + 30
_WINDOWS = (5, 15, 40)
_INDEPENDENT = 3.0
_CLUSTERED = 2.0  # somebody whose request failed tries again
_MOST_NAMES = 300_000
_OTHERS = 50  # requests of other networks without which there is nothing to compare with
_ONE_ENDPOINT = 0.7
_ONE_CLIENT = 0.9
_PUT_UP = TOLERATED_MORE_5XX


class _Entries(NamedTuple):
    number: int
    client: Counts
    network: Counts
    row: Counts
    status: Counts
    n: Counts


class _Sums(NamedTuple):
    number: int
    network: Counts
    n: Floats
    k: Floats
    x: Floats


@dataclass(frozen=True, slots=True)
class Struck:
    """A network of which much fails."""

    network: str
    client: str | None
    start: int
    k: float
    n: float
    x: float
    p: float
    ratio: float


class ClientLog:
    """The last hour by client."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._clients: dict[str, int] = {}
        self._networks: dict[str, int] = {}
        self._network_of: list[int] = []
        self._names: list[str] = []
        self._network_names: list[str] = []
        self._entries: deque[_Entries] = deque()
        self._sums: deque[_Sums] = deque()
        self._rolling: list[Floats] = []

    def add(self, number: int, minute: ClientMinute, rows: Counts, shares: Floats) -> None:
        """Take in a minute: rows of the table by its endpoints, and usual shares of 5xx by row, nan without."""
        if len(self._names) > _MOST_NAMES:
            self.__init__()  # type: ignore[misc]
        codes = np.fromiter((self._code(each) for each in minute.clients), np.int64, len(minute.clients))
        client = codes[minute.client] if codes.size else np.zeros(0, np.int64)
        network = np.array(self._network_of, np.int64)[client] if client.size else client
        row = rows[minute.endpoint] if rows.size else np.zeros(0, np.int64)
        self._entries.append(_Entries(number, client, network, row, minute.status, minute.n))
        judged = np.isfinite(shares[row])
        size = len(self._network_names)
        n = np.bincount(network[judged], minute.n[judged], minlength=size)
        k = np.bincount(network[judged], np.where(minute.status >= 500, minute.n, 0)[judged], minlength=size)
        x = np.bincount(network[judged], (minute.n * shares[row])[judged], minlength=size)
        there = np.flatnonzero(n)
        self._sums.append(_Sums(number, there, *(each[there].astype(np.float64) for each in (n, k, x))))
        self._roll(number, size)
        while self._entries and self._entries[0].number <= number - _KEPT:
            self._entries.popleft()

    def forget(self) -> None:
        """Forget the minutes."""
        self._entries.clear()
        self._sums.clear()
        self._rolling = []

    def struck(self, number: int, first: int, since: Mapping[str, int]) -> list[Struck]:
        """Networks of which much more fails than of the others.

        Args:
            number: the newest minute.
            first: the first one that may be looked at.
            since: the first one of some networks.
        """
        found: dict[int, Struck] = {}
        for width, sums in zip(_WINDOWS, self._rolling, strict=False):
            if number - width + 1 < first:
                continue
            k, n, x = sums
            some = np.flatnonzero(k > 0)
            if not some.size or k.max() < NETWORK_FAILURES:
                continue
            most = TOLERATED_RATIO_5XX * x + _PUT_UP * n
            ratio = more_share(k[some], n[some], most[some]) / _CLUSTERED
            p = adjusted(np.minimum(chance(ratio) * _INDEPENDENT, 1.0))
            excess, n_all, k_all = float(np.maximum(k - x, 0).sum()), float(n.sum()), float(k.sum())
            for place in np.flatnonzero((p <= LIKELY_BY_CHANCE) & (k[some] >= NETWORK_FAILURES)).tolist():
                code = int(some[place])
                others = n_all - n[code]
                apart = k[code] / n[code] >= NETWORK_RATIO * (k_all - k[code]) / max(others, 1.0)
                crowded = k[code] - x[code] >= CROWDED * excess
                if number - width + 1 < since.get(self._network_names[code], 0):
                    continue
                if code in found or others < _OTHERS or not apart or not crowded:
                    continue
                if k[code] - x[code] < NETWORK_SHARE * n[code]:
                    continue
                each = self._struck(
                    code,
                    number,
                    max(first, since.get(self._network_names[code], 0)),
                    float(p[place]),
                    float(ratio[place]),
                )
                if each is not None:
                    found[code] = each
        return list(found.values())

    def series(self, network: str, first: int) -> Floats:
        """Judged requests, 5xx of them and as many as usual of a network by minute from `first` on."""
        code = self._networks.get(network, -1)
        last = self._sums[-1].number if self._sums else first - 1
        found = np.zeros((max(0, last - first + 1), 3))
        for each in self._sums:
            if each.number < first:
                continue
            at = np.flatnonzero(each.network == code)
            if at.size:
                found[each.number - first] = each.n[at[0]], each.k[at[0]], each.x[at[0]]
        return found

    def of_network(self, network: str, rows: Counts | None, first: int, low: int, high: int) -> tuple[int, int]:
        """Requests with a status in a range on some rows since a minute: of a network, and of all."""
        code = self._networks.get(network, -1)
        mine = everybody = 0
        for each in self._since(first):
            asked = (each.status >= low) & (each.status < high)
            if rows is not None:
                asked &= np.isin(each.row, rows)
            everybody += int(each.n[asked].sum())
            mine += int(each.n[asked & (each.network == code)].sum())
        return mine, everybody

    def crowd(self, rows: Counts, first: int, low: int, high: int) -> tuple[int, int, int]:
        """Requests with a status in a range on some rows since a minute: of the largest client, network, and of all."""
        clients, networks, counts = [], [], []
        for each in self._since(first):
            asked = (each.status >= low) & (each.status < high) & np.isin(each.row, rows)
            clients.append(each.client[asked])
            networks.append(each.network[asked])
            counts.append(each.n[asked])
        if not counts or not sum(each.size for each in counts):
            return 0, 0, 0
        n = np.concatenate(counts)
        client, network = (np.bincount(np.concatenate(each), n) for each in (clients, networks))
        return int(client.max()), int(network.max()), int(n.sum())

    def _since(self, first: int) -> list[_Entries]:
        return [each for each in self._entries if each.number >= first]

    def _code(self, client: str) -> int:
        code = self._clients.get(client)
        if code is None:
            code = self._clients[client] = len(self._names)
            self._names.append(client)
            name = _network_name(client)
            network = self._networks.setdefault(name, len(self._networks))
            if network == len(self._network_names):
                self._network_names.append(name)
            self._network_of.append(network)
        return code

    def _roll(self, number: int, size: int) -> None:
        newest = self._sums[-1]
        if not self._rolling:
            self._rolling = [np.zeros((3, size)) for _ in _WINDOWS]
        for place in range(len(_WINDOWS)):
            sums = self._rolling[place]
            if sums.shape[1] < size:
                sums = np.concatenate([sums, np.zeros((3, max(size, 2 * sums.shape[1]) - sums.shape[1]))], axis=1)
                self._rolling[place] = sums
            sums[:, newest.network] += newest.k, newest.n, newest.x
        for place, width in enumerate(_WINDOWS):
            for each in self._sums:
                if each.number == number - width:
                    self._rolling[place][:, each.network] -= each.k, each.n, each.x
        while self._sums and self._sums[0].number <= number - _KEPT:
            self._sums.popleft()

    def _struck(self, code: int, number: int, first: int, p: float, ratio: float) -> Struck | None:
        name = self._network_names[code]
        since = max(first, number - LONGEST)
        series = self.series(name, since)
        # Against what is put up with: a single failure an hour before is no beginning.
        start = since + onset(series[:, 1], series[:, 0], TOLERATED_RATIO_5XX * series[:, 2] + _PUT_UP * series[:, 0])
        n, k, x = series[start - since :].sum(axis=0)
        row_n: dict[int, int] = {}
        row_k: dict[int, int] = {}
        client_k: dict[int, int] = {}
        for each in self._since(start):
            mine = np.flatnonzero(each.network == code)
            for at in mine.tolist():
                row, count = int(each.row[at]), int(each.n[at])
                row_n[row] = row_n.get(row, 0) + count
                if each.status[at] >= 500:
                    row_k[row] = row_k.get(row, 0) + count
                    client_k[int(each.client[at])] = client_k.get(int(each.client[at]), 0) + count
        if not row_k:
            return None
        top = max(row_k, key=lambda row: row_k[row])
        total_k, total_n = sum(row_k.values()), sum(row_n.values())
        # What fails on one endpoint and not on the others it calls is that endpoint's fault.
        if row_k[top] >= _ONE_ENDPOINT * total_k and row_n[top] < 0.5 * total_n:
            return None
        one = max(client_k, key=lambda client: client_k[client])
        client = self._names[one] if client_k[one] >= _ONE_CLIENT * total_k else None
        return Struck(name, client, start, float(k), float(n), float(x), p, ratio)


def _network_name(client: str) -> str:
    """Its network; what is no address is a network of its own."""
    try:
        return network_of_address(client)
    except ValueError:
        return client
