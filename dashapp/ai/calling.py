"""Call a model for an entry of the history: within the budget, until somebody takes it back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from dashapp.ai.faults import ModelFault, Reason
from dashapp.ai.model_client import Dialect, ModelClient, ModelSettings
from dashapp.ai.prices import DEFAULT_PRICES, Prices, Tokens, cost_usd
from dashapp.settings import DashboardSettings
from sql.ai_history import AiStore, Limits

Value = TypeVar("Value")
_LOOK_EVERY_S, _ASK_EVERY_S = 0.05, 0.5
_KEY = re.compile(r"\b(?:sk|key)-[\w*-]{4,}", re.IGNORECASE)


def model_settings(settings: DashboardSettings, model: str | None = None) -> ModelSettings | None:
    """How the model is asked; None without a key."""
    key = settings.openai_api_key.get_secret_value().strip() if settings.openai_api_key else ""
    if not key:
        return None
    return ModelSettings(
        key,
        settings.openai_base_url,
        model or settings.openai_model,
        settings.ai_temperature,
        settings.ai_max_output_tokens,
        settings.ai_timeout_s,
        settings.ai_retries,
    )


def prices_of(settings: DashboardSettings) -> Prices:
    """Prices by model."""
    return DEFAULT_PRICES | settings.ai_prices


def limits_of(settings: DashboardSettings, now: datetime) -> Limits:
    """What may be spent today, by the viewer's day."""
    return Limits(now, day_start(settings, now), Decimal(str(settings.max_daily_cost)), settings.ai_calls_per_minute)


def day_start(settings: DashboardSettings, now: datetime) -> datetime:
    """When the viewer's day began."""
    return now.astimezone(settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def day_end(settings: DashboardSettings, now: datetime) -> datetime:
    """When the budget is new."""
    start = day_start(settings, now)
    return (start + timedelta(hours=36)).replace(hour=0)


def without_secrets(text: str, settings: DashboardSettings) -> str:
    """A text of a server, without the key that it may repeat."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    return _KEY.sub("***", text.replace(key, "***") if key else text)


@dataclass(frozen=True, slots=True)
class Call:
    """An entry, the model that is asked for it, and the most that one call of it may take in."""

    entry: int
    settings: ModelSettings
    input_tokens: int
    most_calls: int


class _Outcome(Generic[Value]):
    """What a thread came to."""

    value: Value | None = None
    fault: BaseException | None = None


class Caller:
    """Makes calls; knows what the servers take from what they refused before."""

    def __init__(self, settings: DashboardSettings, store: AiStore, now: Callable[[], datetime]) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._store = store
        self._now = now
        self._dialects: dict[tuple[str | None, str], Dialect] = {}

    def cost(self, model: str, tokens: Tokens) -> Decimal | None:
        """What tokens cost."""
        return cost_usd(model, tokens, prices_of(self._settings))

    def most(self, call: Call) -> Decimal:
        """The most that the calls of an entry may cost; 0 where no price is known."""
        each = Tokens(call.input_tokens, call.settings.max_output_tokens)
        return (self.cost(call.settings.model, each) or Decimal(0)) * call.most_calls

    def reserve(self, call: Call) -> Reason | None:
        """Set the most aside; why it may not be called, if it may not."""
        refused = self._store.reserve(call.entry, self.most(call), limits_of(self._settings, self._now()))
        return None if refused is None else "budget" if refused == "budget" else "per_minute"

    def run(self, call: Call, ask: Callable[[ModelClient], Value]) -> Value:
        """Return what `ask` returns, which runs in a thread of its own.

        Raises:
            ModelFault: as `ask` does; `cancelled` where somebody took it back, `timeout` where it took too long.
        """
        place = (call.settings.base_url, call.settings.model)
        client = ModelClient(call.settings, self._dialects.setdefault(place, Dialect()))
        outcome: _Outcome[Value] = _Outcome()

        def work() -> None:
            try:
                outcome.value = ask(client)
            except BaseException as error:
                outcome.fault = error

        thread = threading.Thread(target=work, name="ai-call", daemon=True)
        thread.start()
        try:
            self._wait(thread, call)
        finally:
            client.close()
        if outcome.fault is not None:
            raise outcome.fault
        return outcome.value  # type: ignore[return-value]

    def _wait(self, thread: threading.Thread, call: Call) -> None:
        started = asked = time.monotonic()
        while thread.is_alive():
            thread.join(_LOOK_EVERY_S)
            now = time.monotonic()
            if now - started > call.settings.timeout_s * call.most_calls:
                raise ModelFault("timeout", f"no answer within {call.settings.timeout_s * call.most_calls:g} s")
            if now - asked >= _ASK_EVERY_S:
                asked = now
                if self._store.is_cancelled(call.entry):
                    raise ModelFault("cancelled")
