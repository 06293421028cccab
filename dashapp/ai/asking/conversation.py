"""Take a question, find its period, have it answered, and take everything down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dashapp.ai import prompting
from dashapp.ai.analyst import Asker, Exchange
from dashapp.ai.asking.answering import (
    MOST_ROUNDS,
    Answering,
    AnswerResult,
    Emit,
    fenced,
    first_messages,
    period_text,
)
from dashapp.ai.asking.periods import Period, period_of
from dashapp.ai.asking.tools import Workbench
from dashapp.ai.calling import Call, Caller, model_settings, without_secrets
from dashapp.ai.evidence import PACK
from dashapp.ai.faults import ModelFault, Reason
from dashapp.ai.gathering import Asked, gather
from dashapp.ai.ledger import Ledger
from dashapp.ai.model_client import Message, ModelClient
from dashapp.ai.result import Piece, Sentence, plain
from dashapp.ai.rules import rules_result
from dashapp.ai.tokens import rough_tokens
from dashapp.settings import DashboardSettings
from dashapp.words import Words
from sql.ai_history import AiStore, Begun, Opened, thread_of
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import MINUTE, Range

TASK = "ask"
LONGEST_QUESTION = 500
_REMEMBERED = 4  # earlier questions of the thread that the model is told of
_GROWTH_TOKENS = 6_000  # what tools add to what is sent, at most
_PRELOADED = (
    ("traffic", '{"endpoint": null, "service": null, "status": null}'),
    ("endpoints", '{"endpoint": null, "service": null, "status": null, "sort": "errors", "limit": 8}'),
    ("statuses", '{"endpoint": null, "service": null, "status": null}'),
    ("findings", '{"endpoint": null, "service": null, "status": null}'),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the range that the page shows or the asker chose, its filters, and the thread it belongs to."""

    text: str
    chosen: Range
    filters: Filters
    parameters: Mapping[str, str]
    thread: str


class Conversation:
    """Answers questions."""

    def __init__(
        self, settings: DashboardSettings, engine: sa.Engine, store: AiStore, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        """Ask nothing yet."""
        self._settings = settings
        self._engine = engine
        self._store = store
        self._now = now
        self._caller = Caller(settings, store, now)

    def ask(self, question: Question, asker: Asker, complete: datetime, emit: Emit) -> int:
        """Answer a question; returns the id of its entry. `emit` is told of tools and sentences as they come.

        Raises:
            DatabaseUnavailable: nothing can be read or taken down.
        """
        settings, zone = self._settings, self._settings.zone
        period = period_of(question.text, complete, zone) or Period(question.chosen)
        with snapshot(self._engine) as reading:
            thread = thread_of(reading, question.thread)
        model = model_settings(settings)
        version = prompting.versions(TASK)[0]
        entry = self._store.begin(
            Begun(
                "question",
                asker.token,
                self._now(),
                asker.viewer,
                asker.language,
                start=period.whole.start,
                end=period.whole.end,
                minutes=(period.whole.end - period.whole.start) / MINUTE,
                filters=question.parameters,
                question=question.text,
                thread=question.thread,
                prompt_version=version,
                model=model.model if model else None,
            )
        )
        emit("period", {"start": period.whole.start.isoformat(), "end": period.whole.end.isoformat(), "id": entry})
        ledger = Ledger(period.whole, zone, question.parameters, settings.ai_send_addresses)
        bench = Workbench(ledger, question.filters, question.parameters, period.whole, complete, [])
        prompt = prompting.template(TASK, version)
        answering = Answering(self._engine, bench, period, emit, prompt, [model.key] if model else [])
        if model is None:
            return self._by_rules(entry, question, period, asker, complete, "no_key")
        instructions = prompting.instructions(TASK, version, asker.language)
        messages = first_messages(instructions, period_text(period, zone), remembered(thread), question.text)
        size = sum(rough_tokens(str(each["content"])) for each in messages) + _GROWTH_TOKENS
        call = Call(entry, model, size, MOST_ROUNDS)
        refused = self._caller.reserve(call)
        if refused is not None:
            return self._by_rules(entry, question, period, asker, complete, refused, state="refused")
        exchange = Exchange()
        try:
            self._caller.run(call, lambda client: converse(client, answering, messages, exchange))
        except ModelFault as fault:
            return self._failed(entry, question, period, asker, complete, fault, exchange, call, answering)
        except Exception as error:
            unforeseen = ModelFault("server_error", type(error).__name__)
            self._failed(entry, question, period, asker, complete, unforeseen, exchange, call, answering)
            raise
        self._end(entry, exchange, call, answering, answering.result(), state="done")
        return entry

    def _end(
        self,
        entry: int,
        exchange: Exchange,
        call: Call,
        answering: Answering,
        result: AnswerResult,
        *,
        state: str,
        fault: ModelFault | None = None,
    ) -> None:
        ended = exchange.ended(
            self._caller,
            call.settings.model,
            state=state,
            source="model",
            reason=fault.reason if fault else None,
            detail=without_secrets(fault.detail, self._settings) or None if fault else None,
            title=plain(result.sentences)[:120],
            pack=PACK.dump_python(answering.pack(), mode="json"),
            result=result.model_dump(mode="json"),
        )
        self._store.end(entry, ended)

    def _failed(
        self,
        entry: int,
        question: Question,
        period: Period,
        asker: Asker,
        complete: datetime,
        fault: ModelFault,
        exchange: Exchange,
        call: Call,
        answering: Answering,
    ) -> int:
        """What was checked before it broke off stays; where there is nothing, the rules answer."""
        state = "cancelled" if fault.reason == "cancelled" else "failed"
        if answering.cited or state == "cancelled":
            self._end(entry, exchange, call, answering, answering.result(), state=state, fault=fault)
            return entry
        return self._by_rules(entry, question, period, asker, complete, fault.reason, fault.detail, exchange, call)

    def _by_rules(
        self,
        entry: int,
        question: Question,
        period: Period,
        asker: Asker,
        complete: datetime,
        reason: Reason,
        detail: str = "",
        exchange: Exchange | None = None,
        call: Call | None = None,
        state: str | None = None,
    ) -> int:
        """No model: what the search found in the period, and which endpoints fail most, under their own name."""
        settings, words = self._settings, Words(asker.language)
        asked = Asked(
            period.whole, question.filters, question.parameters, settings.zone, complete, settings.ai_send_addresses
        )
        with snapshot(self._engine) as reading:
            pack, found = gather(reading, asked)
        rules = rules_result(pack, found, words)
        sentences = [*rules.summary, *(sentence for each in rules.insights for sentence in each.key_figures[1:])]
        result = AnswerResult(
            kind="rules", sentences=sentences, removed=[], confirmed=rules.confirmed, chart=None, tools=[]
        )
        exchange = exchange or Exchange()
        ended = exchange.ended(
            self._caller,
            call.settings.model if call else None,
            state=state or ("done" if reason == "no_key" else "failed"),
            source="rules",
            reason=reason,
            detail=without_secrets(detail, settings) or None,
            title=plain(sentences)[:120],
            pack=PACK.dump_python(pack, mode="json"),
            result=result.model_dump(mode="json"),
        )
        self._store.end(entry, ended)
        return entry


def converse(client: ModelClient, answering: Answering, messages: list[Message], exchange: Exchange) -> None:
    """Let the model call tools; where its server knows none, give it what most questions need."""

    def said(sent: Any, answer: Any) -> None:
        exchange.calls += 1
        exchange.add(sent, answer)

    try:
        answering.run(client, list(messages), said)
    except ModelFault as fault:
        if fault.reason != "bad_request" or "tool" not in fault.detail.lower() or answering.lines:
            raise
        for name, arguments in _PRELOADED:
            answering.use(name, arguments, "")
        evidence = {"role": "user", "content": fenced(answering.lines)}
        answering.run(client, [*messages[:-1], evidence, messages[-1]], said, tools=False)


def remembered(thread: list[Opened]) -> list[tuple[str, str]]:
    """Questions and answers that a model is told of: their numbers have no ids, so that it cannot cite them."""
    pairs = []
    for opened in thread[-_REMEMBERED:]:
        if opened.entry.source == "model" and opened.entry.question and opened.result:
            sentences: list[Sentence] = [
                [Piece.model_validate(piece) for piece in sentence] for sentence in opened.result["sentences"]
            ]
            if answered := plain(sentences):
                pairs.append((opened.entry.question, answered))
    return pairs
