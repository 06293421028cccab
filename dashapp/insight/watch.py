"""The search: minute after minute in, changes of findings out. The same for what is live, imported or made up. Pure."""

from __future__ import annotations

import numpy as np

from dashapp.insight.cases import Cases
from dashapp.insight.clients import ClientWatch
from dashapp.insight.finding import Finding, Subject, TooLittle
from dashapp.insight.history import History
from dashapp.insight.intake import Intake
from dashapp.insight.lifecycle import Change
from dashapp.insight.limits import FEWEST_BASELINE, HELD_BACK
from dashapp.insight.minute import ClientMinute, Endpoint, Minute, Requests
from dashapp.insight.questions import Question, named
from dashapp.insight.table import M

__all__ = ["Change", "Question", "Watch"]


class Watch:
    """Follows settled minutes, ascending, and keeps what deviates until it is over."""

    def __init__(self, history: History | None = None) -> None:
        """Learn what is known of before; its minutes make the baseline, and nothing is found in them."""
        self._history = history or History()
        self._intake: Intake | None = None
        self._cases: Cases | None = None
        self._clients = ClientWatch(self._history.clients)
        self._warm(self._history)

    @property
    def open(self) -> list[Finding]:
        """Findings that last."""
        mine = [] if self._cases is None else self._cases.open
        return [*mine, *self._clients.open]

    @property
    def too_little(self) -> list[TooLittle]:
        """Endpoints of which there are too few requests to say anything."""
        if self._intake is None:
            return []
        table, baseline = self._intake.table, self._intake.baseline
        waiting = table.between(max(table.first, table.oldest, table.now - HELD_BACK + 1), table.now)[:, M.N]
        known = baseline.arrays["n"][: len(table)] + waiting
        return [
            TooLittle(Subject(*key), "requests", int(known[row]), FEWEST_BASELINE)
            for row, key in enumerate(table.keys)
            if isinstance(key, Endpoint) and known[row] < FEWEST_BASELINE
        ]

    def step(self, minute: Minute, clients: ClientMinute | None = None) -> list[Change]:
        """Look at the next minute. One that lies in the past is left out."""
        changes = self._look(minute, clients, quiet=False)
        if clients is not None:
            changes += self._clients.step(clients)
        return changes

    def ask(self) -> list[Question]:
        """Spans of which single requests would tell more, asked once each."""
        return [] if self._cases is None else self._cases.ask()

    def answer(self, question: Question, requests: Requests) -> list[Change]:
        """Name a cause by single requests."""
        return [] if self._cases is None else self._cases.answer(question.key, named(question, requests))

    def _warm(self, history: History) -> None:
        of_clients = iter(history.client_minutes)
        clients = next(of_clients, None)
        for minute in history.minutes:
            while clients is not None and clients.start < minute.start:
                clients = next(of_clients, None)
            mine = clients if clients is not None and clients.start == minute.start else None
            self._look(minute, mine, quiet=True)
            if mine is not None:
                self._clients.learn(mine)

    def _look(self, minute: Minute, clients: ClientMinute | None, *, quiet: bool) -> list[Change]:
        changes: list[Change] = []
        if self._intake is None or self._cases is None or minute.width != self._intake.width:
            changes += [] if self._cases is None else self._cases.close_all()
            self._intake = Intake(self._history, minute.width)
            self._cases = Cases(self._intake)
            self._history = History()
        intake, cases = self._intake, self._cases
        follows = intake.go_to(minute.start)
        if follows is None:
            return changes
        if not follows:
            changes += cases.close_all()
        with np.errstate(divide="ignore", invalid="ignore"):
            intake.take(minute, clients, cases.held.held_services(), cases.held.excluded)
            changes += cases.step(quiet=quiet)
        return changes
