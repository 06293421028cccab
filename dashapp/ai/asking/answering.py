"""Answer a question: the model calls tools, and what it then says is checked sentence by sentence while it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from dashapp.ai.asking.charts import Chart, chart_for
from dashapp.ai.asking.periods import Period
from dashapp.ai.asking.tools import BadCall, Workbench, schemas
from dashapp.ai.checking.claims import Checker, Context
from dashapp.ai.checking.sentences import SentenceStream
from dashapp.ai.evidence import Pack
from dashapp.ai.model_client import Message, ModelClient, Said, Spoilt
from dashapp.ai.result import Removed, Sentence

MOST_ROUNDS, MOST_CALLS = 6, 12
Emit = Callable[[str, Any], None]


class ToolUse(BaseModel):
    """A tool that was called, and with what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, Any]
    problem: str | None = None


class AnswerResult(BaseModel):
    """An answer as it is shown and kept. `kind`: an answer, or why there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["answer", "not_in_logs", "nothing_left", "rules"]
    sentences: list[Sentence]
    removed: list[Removed]
    confirmed: int
    chart: Chart | None
    tools: list[ToolUse]


@dataclass
class Answering:
    """One question on its way. `emit` is told of tools and sentences as they come."""

    engine: sa.Engine
    bench: Workbench
    period: Period
    emit: Emit
    prompt: str
    secrets: Sequence[str] = ()
    lines: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tools: list[ToolUse] = field(default_factory=list)
    kept: list[Sentence] = field(default_factory=list)
    cited: set[str] = field(default_factory=set)
    removed: list[Removed] = field(default_factory=list)
    confirmed: int = 0

    def pack(self) -> Pack:
        """The evidence so far."""
        return self.bench.ledger.pack(self.lines, findings=self.bench.noted, total=1)

    def run(
        self,
        client: ModelClient,
        messages: list[Message],
        said: Callable[[Sequence[Message], Said], None],
        *,
        tools: bool = True,
    ) -> None:
        """Ask until there is an answer; `said` is told of every message that came.

        Raises:
            ModelFault: the model did not come to one. What was checked until then is kept.
            DatabaseUnavailable: a tool could read nothing.
        """
        for turn in range(MOST_ROUNDS):
            offered = schemas() if tools and turn < MOST_ROUNDS - 1 and len(self.tools) < MOST_CALLS else []
            speech = _Speech(self)
            sent = list(messages)
            try:
                answer = client.stream(sent, offered, on_text=speech.add)
            except Spoilt as spoilt:
                said(sent, spoilt.said)
                speech.end()
                raise
            said(sent, answer)
            if not answer.calls:
                speech.end()
                return
            messages.append(_asking(answer))
            messages += [self.use(call.name, call.arguments, call.id) for call in answer.calls]

    def use(self, name: str, arguments: str, call_id: str) -> Message:
        """Call a tool; returns the message with what it found."""
        self.emit("tool", {"name": name[:40]})
        try:
            found, understood = self.bench.call(self.engine, name, arguments)
        except BadCall as bad:
            self.tools.append(ToolUse(name=name[:40], arguments={}, problem=str(bad)))
            return {"role": "tool", "tool_call_id": call_id, "content": f"error: {bad}"}
        self.tools.append(ToolUse(name=name, arguments=understood))
        self.lines += found.lines
        if found.chart is not None and found.chart.bars:
            self.charts.append(found.chart)
        return {"role": "tool", "tool_call_id": call_id, "content": fenced(found.lines)}

    def keep(self, sentences: Sequence[Sentence], cited: Sequence[str], confirmed: int) -> None:
        """Sentences that passed, to show at once."""
        self.kept += sentences
        self.cited |= {*cited}
        self.confirmed += confirmed
        for sentence in sentences:
            self.emit("sentence", [piece.model_dump() for piece in sentence])

    def result(self) -> AnswerResult:
        """What came of it."""
        kind: Literal["answer", "not_in_logs", "nothing_left"] = "answer"
        if not self.cited:
            # Whoever says something without any figure says nothing of the log.
            kind = "nothing_left" if self.lines else "not_in_logs"
        chart = chart_for(self.charts, self.cited) if self.cited else (self.charts[-1] if self.charts else None)
        return AnswerResult(
            kind=kind,
            sentences=self.kept if self.cited else [],
            removed=self.removed,
            confirmed=self.confirmed,
            chart=chart,
            tools=self.tools,
        )


class _Speech:
    """The text of one turn: sentences are held until one cites a figure, since before a tool call they say nothing."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._stream = SentenceStream()
        self._held: list[Sentence] = []
        self._checker: Checker | None = None
        self._context = Context(relative=answering.period.relative)

    def add(self, text: str) -> None:
        for sentence in self._stream.add(text):
            self._check(sentence)

    def end(self) -> None:
        for sentence in self._stream.end():
            self._check(sentence)

    def _check(self, sentence: str) -> None:
        asked = self._answering
        if self._checker is None:
            searched = any(each.name == "findings" and not each.problem for each in asked.tools)
            self._checker = Checker(asked.pack(), prompt=asked.prompt, secrets=asked.secrets, searched=searched)
        checked = self._checker.check(sentence, self._context)
        if checked.fault is not None:
            asked.removed.append(Removed(where="answer", text=sentence, fault=checked.fault, detail=checked.detail))
            return
        self._context = Context(endpoint=checked.endpoint, relative=asked.period.relative)
        self._held.append(checked.pieces)
        if checked.cited or asked.cited:
            asked.keep(self._held, checked.cited, checked.confirmed)
            self._held = []


def fenced(lines: Sequence[str]) -> str:
    """Lines as a model reads them."""
    return "<evidence>\n" + "\n".join(lines) + "\n</evidence>"


def first_messages(
    instructions: str, period_text: str, thread: Sequence[tuple[str, str]], question: str
) -> list[Message]:  # fmt: skip
    """What is sent first: the instructions, what was said before, the question."""
    messages: list[Message] = [{"role": "system", "content": instructions.replace("{period}", period_text)}]
    for asked, answered in thread:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return [*messages, {"role": "user", "content": question}]


def period_text(period: Period, zone: ZoneInfo) -> str:
    """The period as a model reads it."""
    start, end = (moment.astimezone(zone) for moment in (period.whole.start, period.whole.end))
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {zone}"


def _asking(answer: Said) -> Message:
    return {
        "role": "assistant",
        "content": answer.text or None,
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.calls
        ],
    }
