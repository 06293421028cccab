"""What the AI page and its API share: analyses, questions, a test of the connection, the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dashapp.ai.analyst import Analyst, Asker, Exchange
from dashapp.ai.asking.conversation import Conversation
from dashapp.ai.calling import Call, day_end, day_start, model_settings, prices_of, without_secrets
from dashapp.ai.faults import ModelFault, Reason
from dashapp.ai.model_client import ModelClient
from dashapp.ai.prices import Tokens, cost_usd
from dashapp.settings import DashboardSettings
from sql.ai_history import AiStore, Begun, Ended, Spent, spent_since
from sql.connection import DatabaseUnavailable, Reading

_STALE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of the connection found; `structured` tells whether the server takes a schema."""

    reason: Reason | None
    detail: str
    model: str | None
    structured: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """Today's calls, what may be spent, when it is new, and whether the model has a price."""

    spent: Spent
    most_usd: float
    resets: datetime
    priced: bool


class AiDesk:
    """One for a dashboard; without a store nothing can be taken down, so nothing is asked."""

    def __init__(
        self, settings: DashboardSettings, engine: sa.Engine, store: AiStore | None, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        """Ask nothing yet."""
        self.settings = settings
        self._engine = engine
        self._store = store
        self._now = now
        self._parts: tuple[Analyst, Conversation] | None = None

    @property
    def store(self) -> AiStore:
        """The history. Raises DatabaseUnavailable where none was given."""
        if self._store is None:
            raise DatabaseUnavailable("this dashboard only reads: analyses cannot be taken down")
        return self._store

    @property
    def analyst(self) -> Analyst:
        """Makes analyses."""
        return self._made()[0]

    @property
    def conversation(self) -> Conversation:
        """Answers questions."""
        return self._made()[1]

    def budget(self, reading: Reading) -> Budget:
        """What today has cost."""
        now = self._now()
        price = cost_usd(self.settings.openai_model, Tokens(1, 1), prices_of(self.settings))
        spent = spent_since(reading, day_start(self.settings, now))
        return Budget(spent, self.settings.max_daily_cost, self.resets(), price is not None)

    def resets(self) -> datetime:
        """When the budget is new."""
        return day_end(self.settings, self._now())

    def test(self, asker: Asker) -> Tested:
        """Ask the server for a word, and name what is wrong; it costs a few tokens, which count.

        Raises:
            DatabaseUnavailable: it cannot be taken down.
        """
        settings = model_settings(self.settings)
        if settings is None:
            return Tested("no_key", "", None, structured=False)
        entry = self.store.begin(
            Begun("test", asker.token, self._now(), asker.viewer, asker.language, model=settings.model)
        )
        call = Call(entry, settings, 100, 2)
        exchange = Exchange()
        caller = self.analyst.caller
        refused = caller.reserve(call)
        if refused is not None:
            self.store.end(entry, Ended("refused", reason=refused))
            return Tested(refused, "", settings.model, structured=False)

        def ask(client: ModelClient) -> bool:
            for attempt in (client.ping, lambda: client.answer(_PROBE, _TINY)):
                exchange.calls += 1
                exchange.add(_PROBE, attempt())
            return client.has_structured_output

        try:
            structured = caller.run(call, ask)
        except ModelFault as fault:
            detail = without_secrets(fault.detail, self.settings)
            ended = exchange.ended(caller, settings.model, state="failed", reason=fault.reason, detail=detail or None)
            self.store.end(entry, ended)
            return Tested(fault.reason, detail, settings.model, structured=False)
        reason = None if structured else "no_structured_output"
        self.store.end(entry, exchange.ended(caller, settings.model, state="done", source="model", reason=reason))
        return Tested(None, "", exchange.model, structured)

    def _made(self) -> tuple[Analyst, Conversation]:
        if self._parts is None:
            store = self.store
            store.end_interrupted(self._now() - _STALE)
            self._parts = (
                Analyst(self.settings, self._engine, store, self._now),
                Conversation(self.settings, self._engine, store, self._now),
            )
        return self._parts


_PROBE = [{"role": "user", "content": 'Answer with the JSON {"ok": true}'}]
_TINY = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
