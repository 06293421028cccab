"""Add up what clients do, minute by minute: by address, by network and by service. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from dashapp.insight import client_limits as limit
from dashapp.insight.addresses import network_of_address
from dashapp.insight.client_window import (
    LOGINS,
    MEASURES,
    MINUTES,
    MISSING,
    MISSING_PATHS,
    MISSING_STATUSES,
    OK,
    OK_PATHS,
    REFUSED,
    REFUSED_STATUSES,
    Block,
    Interned,
    Key,
    N,
    Rolling,
    is_login,
    is_many,
    window_start,
)
from dashapp.insight.minute import ClientMinute, Counts, Endpoint

Mask = npt.NDArray[np.bool_]
# An endpoint that usually answers and now fails for clients of three networks is broken; who asks for it looks for no
# holes. Somebody who tries all numbers of an endpoint makes it fail too, but from one network.
_SOUND, _FEWEST_KNOWN, _BROKEN, _FEWEST_NETWORKS, _MOST_OF_IT = 0.2, 20, 0.3, 3, 0.7
_FORGET_HOURLY = 0.97


@dataclass(frozen=True, slots=True)
class Taken:
    """A minute as it was added: the rows of its clients and networks, each once."""

    block: Block
    addresses: Counts
    networks: Counts


class Sums:
    """The fast and the slow window, and the minutes of the slow one in detail."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.services = Interned()
        self.address, self.network, self.service = (Rolling(self.services) for _ in range(3))
        self.blocks: deque[Block] = deque()
        self.agents: dict[int, str | None] = {}
        self.endpoints: list[Endpoint] = []
        self._known = Interned()
        self._many: Mask = np.zeros(0, np.bool_)
        # Requests by endpoint since long ago, and those that failed; the past counts less and less.
        self._past = np.zeros((0, 2))
        self._faded: datetime | None = None

    def take(self, minute: ClientMinute) -> Taken:
        """Add a minute."""
        for window in (self.address, self.network, self.service):
            window.expire(*(window_start(minute.start, minute.width, span) for span in (limit.FAST, limit.SLOW)))
        while self.blocks and self.blocks[0].start < window_start(minute.start, minute.width, limit.SLOW):
            self.blocks.popleft()
        self._fade(minute.start)
        used = np.flatnonzero(minute.n > 0)
        client, endpoint, status, n, failed, paths = (
            each[used]
            for each in (minute.client, minute.endpoint, minute.status, minute.n, minute.failed_paths, minute.paths)
        )
        number = self._numbers(minute.endpoints)[endpoint] if len(minute.endpoints) else endpoint
        services = [self.services[each.service] for each in minute.endpoints]
        service = np.asarray(services, np.int64)[endpoint] if services else endpoint
        names, of_client = _networks(minute.clients)
        network = of_client[client] if len(of_client) else client
        missing = np.isin(status, MISSING_STATUSES)
        values = np.zeros((len(used), MEASURES), np.int64)
        values[:, N] = n
        counted = missing & ~self._broken(number, network, missing, n)
        values[:, MISSING] = np.where(counted, n, 0)
        values[:, MISSING_PATHS] = np.where(counted, failed, 0)
        logins = np.asarray([is_login(each.route) for each in minute.endpoints], np.bool_)
        login = logins[endpoint] if len(logins) else np.zeros(len(used), np.bool_)
        values[:, LOGINS] = np.where(login, n, 0)
        values[:, REFUSED] = np.where(login & np.isin(status, REFUSED_STATUSES), n, 0)
        fine = (status >= 200) & (status < 400)
        values[:, OK] = np.where(fine, n, 0)
        values[:, OK_PATHS] = np.where(fine, paths, 0)
        size = len(self.endpoints)
        self._past[:, 0] += np.bincount(number, weights=n, minlength=size)
        self._past[:, 1] += np.bincount(number[missing], weights=n[missing], minlength=size)
        addresses = self._push(self.address, minute, client, service, values, [str(each) for each in minute.clients])
        networks = self._push(self.network, minute, network, service, values, names)
        self._push(self.service, minute, np.zeros(len(used), np.int64), service, values, [""])
        for row, which in zip(addresses[0].tolist(), client[addresses[2]].tolist(), strict=True):
            self.agents[row] = minute.agents[which]
        block = Block(
            start=minute.start,
            service=service,
            address=addresses[0][addresses[1]],
            network=networks[0][networks[1]],
            endpoint=number,
            status=status,
            n=n,
            failed_paths=failed,
            paths=paths,
            measures=values,
        )
        self.blocks.append(block)
        return Taken(block, addresses[0], networks[0])

    def detail(self, row: int, *, network: bool, since: datetime | None = None) -> Iterator[tuple[Block, Counts]]:
        """The minutes since a moment, or all of the slow window, and which of their entries belong to a client."""
        for block in self.blocks:
            if since is None or block.start >= since:
                yield block, np.flatnonzero((block.network if network else block.address) == row)

    def login(self, endpoints: Counts) -> Mask:
        """Whether one logs in there."""
        return np.asarray([is_login(self.endpoints[each].route) for each in endpoints.tolist()], np.bool_)

    def many(self, endpoints: Counts) -> Mask:
        """Whether the routes of endpoints stand for many paths."""
        found: Mask = self._many[endpoints]
        return found

    def _push(
        self,
        window: Rolling,
        minute: ClientMinute,
        client: Counts,
        service: Counts,
        values: Counts,
        names: Sequence[str],
    ) -> tuple[Counts, Counts, Counts]:
        """Add sums by client and service; rows, the place among them of each entry, and an entry of each row."""
        every = len(self.services)
        both, first, place = np.unique(client * every + service, return_index=True, return_inverse=True)
        by_number = list(self.services)
        keys = [Key(str(by_number[each % every]), names[each // every]) for each in both.tolist()]
        rows = window.rows(keys)
        sums = np.zeros((len(keys), MEASURES), np.int64)
        np.add.at(sums, place, values)
        sums[:, MINUTES] = 1
        window.push(minute.start, rows, sums)
        return rows, place, first

    def _numbers(self, endpoints: Sequence[Endpoint]) -> Counts:
        numbers = np.fromiter((self._known[each] for each in endpoints), np.int64, len(endpoints))
        for each in list(self._known)[len(self.endpoints) :]:
            assert isinstance(each, Endpoint)
            self.endpoints.append(each)
        new = self.endpoints[len(self._many) :]
        self._many = np.concatenate([self._many, np.asarray([is_many(each.route) for each in new], np.bool_)])
        self._past = np.concatenate([self._past, np.zeros((len(new), 2))])
        return numbers

    def _broken(self, endpoint: Counts, network: Counts, missing: Mask, n: Counts) -> Mask:
        """Which entries are of endpoints that usually answer and now fail for several networks."""
        size = len(self.endpoints)
        if not missing.any():
            return missing
        usual, failed = self._past[:, 0], self._past[:, 1]
        sound = (usual >= _FEWEST_KNOWN) & (failed <= _SOUND * usual)
        now = np.bincount(endpoint, weights=n, minlength=size)
        nets = int(network.max()) + 1
        pairs, place = np.unique(endpoint[missing] * nets + network[missing], return_inverse=True)
        of_pair = np.bincount(place, weights=n[missing])
        failing, networks, most = np.zeros(size), np.zeros(size), np.zeros(size)
        np.add.at(failing, pairs // nets, of_pair)
        np.add.at(networks, pairs // nets, 1)
        np.maximum.at(most, pairs // nets, of_pair)
        broken = sound & (failing >= _BROKEN * np.maximum(now, 1)) & (networks >= _FEWEST_NETWORKS)
        broken &= most <= _MOST_OF_IT * failing
        found: Mask = broken[endpoint]
        return found

    def _fade(self, now: datetime) -> None:
        if self._faded is None:
            self._faded = now
        hours = int((now - self._faded).total_seconds() // 3600)
        if hours > 0:
            self._past *= _FORGET_HOURLY**hours
            self._faded = now


def _networks(clients: Sequence[str]) -> tuple[list[str], Counts]:
    """Networks of some clients, and which of them each belongs to."""
    known = Interned()
    place = np.fromiter((known[network_of_address(each)] for each in clients), np.int64, len(clients))
    return [str(each) for each in known], place
