"""Clients that do what clients do not: probe, guess passwords, read everything, call far too often. Pure.

Each minute is added to sums by client over the last five minutes and the last hour. Whoever has enough of something is
looked at closely, by address and by network, and becomes a finding that stays open until it has been quiet for a while.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from dashapp.insight import client_limits as limit
from dashapp.insight.addresses import network_of_address
from dashapp.insight.agents import client_type
from dashapp.insight.client_case import Case, worth_telling
from dashapp.insight.client_kinds import JUDGES, KINDS, OFFENDING, ClientKind, Conduct, Verdict, least_of
from dashapp.insight.client_sums import Sums, Taken
from dashapp.insight.client_usual import Tops, UsualOfClients, UsualOfServices
from dashapp.insight.client_window import (
    MISSING,
    MISSING_PATHS,
    OK,
    OK_PATHS,
    Block,
    Key,
    N,
    PathTally,
    Rolling,
    window_start,
)
from dashapp.insight.finding import Finding
from dashapp.insight.history import CLIENT_REQUESTS, BusiestHour
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import ClientMinute, Counts

_HOUR = timedelta(hours=1)
_NOTE_EVERY = timedelta(minutes=10)
_CLIENT_ERROR = 400
_Who = tuple[bool, Key]  # whether it is a network, and which


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A client that does something, before it is decided whether it or its network is named."""

    kind: ClientKind
    network: bool
    key: Key
    row: int
    verdict: Verdict


class ClientWatch:
    """Follows the minutes and tells what opens, changes and closes among the clients."""

    def __init__(self, known: Iterable[BusiestHour] = ()) -> None:
        """Start with who called much before; with nobody, for two hours nothing is said of volume and of reading."""
        self._at: datetime | None = None
        self._begin(tuple(known))

    @property
    def open(self) -> list[Finding]:
        """Findings that last."""
        return [case.finding(closed=False) for case in self._cases.values()]

    def learn(self, minute: ClientMinute) -> None:
        """Add a minute, later than all before, and find nothing in it."""
        self._at = minute.start
        self._sums.take(minute)
        self._largest_now.clear()
        self._note(minute, minute.start + minute.width)

    def step(self, minute: ClientMinute) -> list[Change]:
        """Add a minute, later than all before."""
        changes: list[Change] = []
        if self._at is not None and minute.start < self._at:
            # The clock jumped back, or a range is searched again: what was is no help.
            changes = [self._close(who) for who in list(self._cases)]
            self._begin()
        self._at = minute.start
        taken = self._sums.take(minute)
        self._largest_now.clear()
        end = minute.start + minute.width
        changes += self._follow(taken, end)
        changes += self._look(taken, minute, end)
        self._note(minute, end)
        return changes

    def _begin(self, known: tuple[BusiestHour, ...] = ()) -> None:
        self._sums = Sums()
        self._clients = {network: UsualOfClients(known, network=network) for network in (False, True)}
        self._services = UsualOfServices(known=bool(known))
        self._cases: dict[_Who, Case] = {}
        self._largest_now: dict[tuple[str, bool, bool], Tops] = {}
        self._first: datetime | None = None
        self._noted: datetime | None = None
        self._noted_hour: datetime | None = None

    # ---- what is open ----

    def _follow(self, taken: Taken, end: datetime) -> list[Change]:
        changes = []
        for who, case in list(self._cases.items()):
            row = self._window(who[0]).row(who[1])
            case.total += self._total_of(taken.block, case.service)
            if row is not None:
                mine = np.flatnonzero((taken.block.network if who[0] else taken.block.address) == row)
                offending = self._add(case, taken.block, mine)
                if offending >= max(1.0, limit.STILL * case.level):
                    case.end = end
            adopted = case.kind in ("scraper", "client_volume") and end - case.start >= limit.ADOPTED
            if end - case.end >= limit.QUIET or adopted:
                changes.append(self._close(who))
            elif case.end == end and worth_telling(case, end):
                changes.append(self._tell("updated", case, end))
        return changes

    def _close(self, who: _Who) -> Change:
        case = self._cases.pop(who)
        return Change("closed", case.key, case.finding(closed=True))

    def _tell(self, what: str, case: Case, now: datetime) -> Change:
        case.told = case.severity(), case.offending, now
        return Change("opened" if what == "opened" else "updated", case.key, case.finding(closed=False))

    # ---- what is new ----

    def _look(self, taken: Taken, minute: ClientMinute, end: datetime) -> list[Change]:
        named = self._suspects(taken.addresses, minute, network=False)
        changes: list[Change] = []
        by_network: dict[tuple[ClientKind, Key], list[_Suspect]] = defaultdict(list)
        for each in named:
            by_network[each.kind, Key(each.key.service, network_of_address(each.key.name))].append(each)
        for (kind, network), suspects in by_network.items():
            if (True, network) in self._cases:
                continue
            before = [
                who
                for who, case in self._cases.items()
                if not who[0] and case.kind == kind and self._network_of(who[1]) == network
            ]
            row = self._sums.network.row(network)
            if len(suspects) + len(before) >= limit.ADDRESSES_OF_NETWORK and row is not None:
                changes += [self._close(who) for who in before]
                worst = min(suspects, key=lambda each: each.verdict.p)
                verdict = self._judge(kind, row, minute, network=True) or worst.verdict
                changes.append(self._open(_Suspect(kind, True, network, row, verdict), end))
            else:
                changes += [self._open(each, end) for each in suspects]
        for each in self._suspects(taken.networks, minute, network=True):
            if not self._is_one_of_it(each):
                changes.append(self._open(each, end))
        return changes

    def _suspects(self, rows: Counts, minute: ClientMinute, *, network: bool) -> list[_Suspect]:
        """Clients of a minute that do something; each is named by the first kind that fits."""
        window = self._window(network)
        found: dict[int, _Suspect] = {}
        left = limit.MOST_LOOKED_AT
        for kind in KINDS:
            measure, in_fast = least_of(kind, fast=True)
            _, in_slow = least_of(kind, fast=False)
            fast, slow = window.fast[rows, measure], window.slow[rows, measure]
            enough = np.flatnonzero((fast >= in_fast) | (slow >= in_slow))
            for place in enough[np.argsort(-slow[enough], kind="stable")].tolist():
                row = int(rows[place])
                key = window.keys[row]
                if key is None or row in found or self._is_known((network, key)):
                    continue
                left -= 1
                if left < 0:
                    return list(found.values())
                verdict = self._judge(kind, row, minute, network=network)
                if verdict is not None:
                    found[row] = _Suspect(kind, network, key, row, verdict)
        return list(found.values())

    def _judge(self, kind: ClientKind, row: int, minute: ClientMinute, *, network: bool) -> Verdict | None:
        for fast in (True, False):
            sums = self._window(network).fast if fast else self._window(network).slow
            measure, least = least_of(kind, fast=fast)
            if sums[row, measure] < least:
                continue
            # By the sums alone first: they count a path once for each minute, so nothing is missed.
            conduct = self._conduct(row, minute, network=network, fast=fast)
            verdict = JUDGES[kind](conduct)
            if verdict is not None and kind in ("scanner", "scraper"):
                verdict = JUDGES[kind](self._closely(conduct, row, minute, network=network))
            if verdict is not None:
                return verdict
        return None

    def _conduct(self, row: int, minute: ClientMinute, *, network: bool, fast: bool) -> Conduct:
        window = self._window(network)
        key = window.keys[row]
        assert key is not None
        span = limit.FAST if fast else limit.SLOW
        own = (window.fast if fast else window.slow)[row]
        whole = self._sums.service.fast if fast else self._sums.service.slow
        of_service = whole[self._sums.service.rows([Key(key.service, "")])[0]]
        part = max(span, minute.width) / _HOUR
        had = self._clients[network].of(key)
        return Conduct(
            own=own,
            others=of_service - own,
            missing_paths=int(own[MISSING_PATHS]),
            ok_paths=int(own[OK_PATHS]),
            by_minute=None,
            fast=fast,
            scale=max(span, minute.width) / span,
            bot=not network and client_type(self._sums.agents.get(row)) == "bot",
            usual=(had[0] * part, had[1] * part),
            largest=self._largest(row, key, minute, network=network, fast=fast),
            asked=self._tops(key.service, network=network, fast=fast).clients,
        )

    def _closely(self, conduct: Conduct, row: int, minute: ClientMinute, *, network: bool) -> Conduct:
        since = window_start(minute.start, minute.width, limit.FAST if conduct.fast else limit.SLOW)
        missing, fine, by_minute = PathTally(), PathTally(), []
        for block, mine in self._sums.detail(row, network=network, since=since):
            self._tally(missing, block, mine[block.measures[mine, MISSING] > 0], block.failed_paths)
            self._tally(fine, block, mine[block.measures[mine, OK] > 0], block.paths)
            by_minute.append(int(block.n[mine].sum()))
        return replace(
            conduct, missing_paths=len(missing), ok_paths=len(fine), by_minute=np.asarray(by_minute, np.int64)
        )

    def _largest(
        self, row: int, key: Key, minute: ClientMinute, *, network: bool, fast: bool
    ) -> tuple[float, float] | None:
        since = window_start(minute.start, minute.width, limit.FAST if fast else limit.SLOW)
        before = self._services.of(_level(key.service, network=network), since, fast=fast)
        if before is None:
            return None
        tops = self._tops(key.service, network=network, fast=fast)
        return float(max(tops.requests(row), before[0])), float(max(tops.paths(row), before[1]))

    def _tops(self, service: str, *, network: bool, fast: bool) -> Tops:
        """The largest clients now; those that are findings apart, and of reading those who always read so much."""
        asked = service, network, fast
        if asked not in self._largest_now:
            window = self._window(network)
            sums = window.fast if fast else window.slow
            rows = np.flatnonzero((window.service == self._sums.services[service]) & (sums[:, N] > 0))
            clients = len(rows)
            named = [window.row(who[1]) for who in self._cases if who[0] == network and who[1].service == service]
            rows = rows[~np.isin(rows, [each for each in named if each is not None])]
            part = (limit.FAST if fast else limit.SLOW) / _HOUR
            readers = [
                int(row)
                for row in rows[np.argsort(-sums[rows, OK_PATHS], kind="stable")][: limit.MOST_LOOKED_AT]
                if 2 * self._clients[network].of(window.keys[row])[1] * part < sums[row, OK_PATHS]
            ]
            callers = rows[np.argsort(-sums[rows, N], kind="stable")][:2].tolist()
            self._largest_now[asked] = Tops(
                clients,
                [(row, int(sums[row, N])) for row in callers],
                [(row, int(sums[row, OK_PATHS])) for row in readers[:2]],
            )
        return self._largest_now[asked]

    def _open(self, suspect: _Suspect, end: datetime) -> Change:
        who = suspect.network, suspect.key
        counts = [
            (block, mine, int(self._offending(suspect.kind, block, mine).sum()))
            for block, mine in self._sums.detail(suspect.row, network=suspect.network)
        ]
        recent = [count for block, _, count in counts if block.start >= end - limit.FAST and count] or [1]
        level = sum(recent) / len(recent)
        first = len(counts) - 1
        last_active = end
        for i in range(len(counts) - 1, -1, -1):
            block, _, count = counts[i]
            if last_active - block.start > limit.QUIET:
                break
            if count >= max(1.0, limit.STILL * level):
                first, last_active = i, block.start
        case = Case(
            kind=suspect.kind,
            service=suspect.key.service,
            name=suspect.key.name,
            network=suspect.network,
            start=counts[first][0].start,
            end=end,
            verdict=suspect.verdict,
            level=level,
        )
        for block, mine, _ in counts[first:]:
            self._add(case, block, mine)
            case.total += self._total_of(block, case.service)
        self._cases[who] = case
        return self._tell("opened", case, end)

    # ---- small things ----

    def _add(self, case: Case, block: Block, mine: Counts) -> int:
        """Add a client's part of a minute to its case; how many of the requests are what it is accused of."""
        if not len(mine):
            return 0
        which = self._offending(case.kind, block, mine)
        case.n += int(block.n[mine].sum())
        case.minutes += 1
        offending = int(which.sum())
        case.offending += offending
        guilty = mine[which > 0]
        paths = block.failed_paths if case.kind == "scanner" else block.paths
        self._tally(case.paths, block, guilty, paths)
        for entry in guilty.tolist():
            case.endpoints[self._sums.endpoints[block.endpoint[entry]]] += int(block.n[entry])
        for entry in mine.tolist():
            case.statuses[int(block.status[entry])] += int(block.n[entry])
            row = int(block.address[entry])
            key = self._sums.address.keys[row]
            if key is not None:
                case.see(key.name, self._sums.agents.get(row), int(block.n[entry]))
        if case.kind == "credential_guessing":
            login = self._sums.login(block.endpoint[mine]) & (block.status[mine] < _CLIENT_ERROR)
            case.succeeded += int(block.n[mine][login].sum())
        return offending

    def _offending(self, kind: ClientKind, block: Block, mine: Counts) -> Counts:
        """Requests of entries that are what a kind is about."""
        found: Counts = block.measures[mine, OFFENDING[kind]]
        return found

    def _tally(self, tally: PathTally, block: Block, entries: Counts, paths: Counts) -> None:
        endpoints = block.endpoint[entries]
        tally.add(endpoints, paths[entries], self._sums.many(endpoints))

    def _total_of(self, block: Block, service: str) -> int:
        return int(block.n[block.service == self._sums.services[service]].sum())

    def _window(self, network: bool) -> Rolling:
        return self._sums.network if network else self._sums.address

    def _network_of(self, key: Key) -> Key:
        return Key(key.service, network_of_address(key.name))

    def _is_known(self, who: _Who) -> bool:
        """Whether a client, or the network that it belongs to, is a finding already."""
        return who in self._cases or (not who[0] and (True, self._network_of(who[1])) in self._cases)

    def _is_one_of_it(self, suspect: _Suspect) -> bool:
        """Whether one address does most of what a network does, or is a finding: then the network is not named."""
        measure = OFFENDING[suspect.kind]
        by_address: dict[int, int] = defaultdict(int)
        for block, mine in self._sums.detail(suspect.row, network=True):
            counts = block.measures[mine, measure]
            for row, n in zip(block.address[mine].tolist(), counts.tolist(), strict=True):
                by_address[row] += n
        known = {self._sums.address.row(who[1]) for who in self._cases if not who[0]}
        total = sum(by_address.values())
        free = sum(n for row, n in by_address.items() if row not in known)
        most = max(by_address.values(), default=0)
        return most >= limit.MOST_OF_NETWORK * total or free < (1 - limit.MOST_OF_NETWORK) * total

    # ---- what is usual ----

    def _note(self, minute: ClientMinute, end: datetime) -> None:
        if self._first is None:
            self._first = self._noted_hour = end
        if self._noted_hour is not None and end - self._noted_hour >= _HOUR:
            self._noted_hour = end
            for network in (False, True):
                self._note_hour(minute.start, network=network)
                self._clients[network].forget(end)
            self._largest_now.clear()
        # Not in the first hour: nobody is known yet to have always read so much.
        if end - self._first >= _HOUR and (self._noted is None or end - self._noted >= _NOTE_EVERY):
            self._noted = end
            for service in self._names():
                for network in (False, True):
                    for fast in (True, False):
                        tops = self._tops(service, network=network, fast=fast)
                        of_level = _level(service, network=network)
                        self._services.note(of_level, end, fast=fast, n=tops.requests(), paths=tops.paths())

    def _note_hour(self, start: datetime, *, network: bool) -> None:
        window = self._window(network)
        for row in np.flatnonzero(window.slow[:, N] >= CLIENT_REQUESTS).tolist():
            key = window.keys[row]
            if key is not None:
                case = self._cases.get((network, key))
                # Who reads everything every night reads everything every night: that is no reason to be silent.
                paths = 0 if case is not None and case.kind == "scraper" else int(window.slow[row, OK_PATHS])
                self._clients[network].note(key, start, int(window.slow[row, N]), paths)

    def _names(self) -> Iterable[str]:
        return [str(each) for each in self._sums.services]


def _level(service: str, *, network: bool) -> str:
    return f"{service}\n{'network' if network else 'address'}"
