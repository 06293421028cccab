"""Analyse a window: evidence, one question to the model, the check, and a line in the history, whatever comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from dashapp.ai import prompting
from dashapp.ai.calling import Call, Caller, model_settings, without_secrets
from dashapp.ai.checking.judge import judge, uncovered
from dashapp.ai.evidence import PACK, Pack
from dashapp.ai.faults import ModelFault, Reason
from dashapp.ai.fingerprint import fingerprint
from dashapp.ai.gathering import Asked, gather
from dashapp.ai.model_client import Message, ModelClient, Said, Spoilt
from dashapp.ai.prices import Tokens
from dashapp.ai.reply import Reply, schema
from dashapp.ai.result import Result, plain
from dashapp.ai.rules import rules_insight, rules_result
from dashapp.ai.tokens import rough_tokens
from dashapp.insight.finding import Finding
from dashapp.settings import DashboardSettings
from dashapp.words import Words
from sql.ai_history import AiStore, Begun, Ended, open_entry, same_analysis
from sql.connection import snapshot
from sql.plan import MINUTE

TASK = "analyze"
_CALLS = 2  # a reply that cannot be used is asked for once more
_LONGEST_TITLE = 120
_REPAIR = "Your reply could not be used: {why}. Answer again, with the whole JSON and nothing else."
_SHORTER = "it was cut off; write less"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in which language, and the token by which he can take it back."""

    viewer: str
    language: str
    token: str


@dataclass
class Exchange:
    """What went to the model and back."""

    sent: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    calls: int = 0
    model: str | None = None
    started: float = field(default_factory=time.monotonic)

    def add(self, messages: Sequence[Message], said: Said) -> None:
        """Take down an answer."""
        self.sent.append(list(messages))
        self.texts.append(said.text)
        self.tokens = self.tokens + said.tokens
        self.model = said.model or self.model

    def ended(self, caller: Caller, model: str | None, **more: Any) -> Ended:
        """As the history has it; the cost is that of the model that was asked."""
        return Ended(
            model=self.model or model,
            tokens_in=self.tokens.input,
            tokens_out=self.tokens.output,
            cost_usd=caller.cost(model, self.tokens) if model and self.calls else None,
            calls=self.calls,
            latency_ms=1000 * (time.monotonic() - self.started),
            sent=self.sent or None,
            reply=self.texts or None,
            **more,
        )


class Analyst:
    """Makes analyses."""

    def __init__(
        self, settings: DashboardSettings, engine: sa.Engine, store: AiStore, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        """Ask nothing yet."""
        self._settings = settings
        self._engine = engine
        self._store = store
        self._now = now
        self.caller = Caller(settings, store, now)

    def analyse(self, asked: Asked, asker: Asker) -> int:
        """Analyse a window; returns the id of its entry in the history, which tells everything.

        Raises:
            DatabaseUnavailable: nothing can be read or taken down.
        """
        words = Words(asker.language)
        with snapshot(self._engine) as reading:
            pack, found = gather(reading, asked)
            digest = fingerprint(pack, asked.parameters, asker.language)
            same = same_analysis(reading, digest)
        model = model_settings(self._settings)
        version = self._version()
        entry = self._store.begin(
            Begun(
                "analysis",
                asker.token,
                self._now(),
                asker.viewer,
                asker.language,
                start=pack.start,
                end=pack.end,
                minutes=(pack.end - pack.start) / MINUTE,
                filters=asked.parameters,
                fingerprint=digest,
                prompt_version=version,
                model=model.model if model else None,
                pack=PACK.dump_python(pack, mode="json"),
            )
        )
        if same is not None:
            self._store.end(entry, Ended("done", "unchanged", same_as=same))
            return entry
        reason: Reason | None = "no_data" if not pack.total else "no_key" if model is None else None
        if reason is not None or model is None:
            self._by_rules(entry, pack, found, words, reason or "no_key")
            return entry
        messages = messages_of(pack, version, asker.language)
        self._ask(entry, pack, found, messages, words, model=model.model, version=version)
        return entry

    def rerun(self, kept: int, asker: Asker, *, model: str | None, version: str | None) -> int | None:
        """Analyse the evidence of an entry again, with another model or prompt; None where it has none.

        Raises:
            ModelFault: there is no key, or no such prompt.
            DatabaseUnavailable: nothing can be read or taken down.
        """
        with snapshot(self._engine) as reading:
            opened = open_entry(reading, kept)
        if opened is None or opened.entry.kind != "analysis" or opened.pack is None:
            return None
        asked = model_settings(self._settings, model)
        if asked is None:
            raise ModelFault("no_key")
        version = version or self._version()
        if version not in prompting.versions(TASK):
            raise ModelFault("bad_request", "there is no such prompt version")
        pack = PACK.validate_python(opened.pack)
        former = opened.entry
        entry = self._store.begin(
            Begun(
                "analysis",
                asker.token,
                self._now(),
                asker.viewer,
                former.language,
                start=former.start,
                end=former.end,
                minutes=former.minutes,
                filters=former.filters,
                rerun_of=former.id,
                prompt_version=version,
                model=asked.model,
                pack=opened.pack,
            )
        )
        messages = messages_of(pack, version, former.language)
        self._ask(entry, pack, None, messages, Words(former.language), model=asked.model, version=version)
        return entry

    def _ask(
        self,
        entry: int,
        pack: Pack,
        found: Sequence[Finding] | None,
        messages: list[Message],
        words: Words,
        *,
        model: str,
        version: str,
    ) -> None:
        settings = model_settings(self._settings, model)
        assert settings is not None
        call = Call(entry, settings, sum(rough_tokens(each["content"]) for each in messages), _CALLS)
        refused = self.caller.reserve(call)
        if refused is not None:
            self._by_rules(entry, pack, found, words, refused, state="refused")
            return
        exchange = Exchange()
        try:
            reply = self.caller.run(call, lambda client: ask_for_reply(client, messages, exchange))
        except ModelFault as fault:
            self._by_rules(entry, pack, found, words, fault.reason, fault.detail, exchange, call)
            return
        except Exception as error:
            self._by_rules(entry, pack, found, words, "server_error", type(error).__name__, exchange, call)
            raise
        prompt = prompting.template(TASK, version)
        result = judge(reply, pack, prompt=prompt, secrets=[settings.key])
        if found is not None:
            result = with_uncovered(result, pack, found, words)
        ended = exchange.ended(
            self.caller,
            model,
            state="done",
            source="model",
            title=title_of(result),
            result=result.model_dump(mode="json"),
        )
        self._store.end(entry, ended)

    def _by_rules(
        self,
        entry: int,
        pack: Pack,
        found: Sequence[Finding] | None,
        words: Words,
        reason: Reason,
        detail: str = "",
        exchange: Exchange | None = None,
        call: Call | None = None,
        state: str | None = None,
    ) -> None:
        """End an entry with what the search found, and why it is not the model's."""
        exchange = exchange or Exchange()
        # Of stored evidence that is asked about again, the findings themselves are not kept.
        result = rules_result(pack, found, words) if found is not None and reason != "cancelled" else None
        states = {"cancelled": "cancelled", "no_key": "done", "no_data": "done"}
        ended = exchange.ended(
            self.caller,
            call.settings.model if call else None,
            state=state or states.get(reason, "failed"),
            source="rules" if result else None,
            reason=reason,
            detail=without_secrets(detail, self._settings) or None,
            title=title_of(result) if result else None,
            result=result.model_dump(mode="json") if result else None,
        )
        self._store.end(entry, ended)

    def _version(self) -> str:
        known = prompting.versions(TASK)
        wanted = self._settings.ai_prompt_version
        return wanted if wanted in known else known[0]


def messages_of(pack: Pack, version: str, language: str) -> list[Message]:
    """What is sent for an analysis."""
    return [
        {"role": "system", "content": prompting.instructions(TASK, version, language)},
        {"role": "user", "content": prompting.evidence_text(pack)},
    ]


def ask_for_reply(client: ModelClient, messages: Sequence[Message], exchange: Exchange) -> Reply:
    """Ask, and once more with what was wrong where the reply cannot be used.

    Raises:
        ModelFault: nor can the second.
    """
    asked = list(messages)
    for attempt in range(_CALLS):
        exchange.calls += 1
        try:
            said = client.answer(asked, schema())
            exchange.add(asked, said)
            return Reply.model_validate_json(said.text)
        except Spoilt as spoilt:
            exchange.add(asked, spoilt.said)
            said, why = spoilt.said, _SHORTER if spoilt.reason == "cut_off" else spoilt.reason
            if attempt or spoilt.reason == "refusal":
                raise
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            is_json = problems[0]["type"] != "json_invalid"
            why = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems[:5])
            if attempt:
                raise ModelFault("bad_shape" if is_json else "not_json", why) from error
        asked = [
            *messages,
            {"role": "assistant", "content": said.text[:20_000]},
            {"role": "user", "content": _REPAIR.format(why=why)},
        ]
    raise AssertionError("the last attempt returns or raises")


def with_uncovered(result: Result, pack: Pack, found: Sequence[Finding], words: Words) -> Result:
    """Add the findings of weight that the model left out, under the name of the rules."""
    by_noted = {noted.ids: finding for noted, finding in zip(pack.findings, found, strict=True)}
    left_out = uncovered(pack, result.insights)
    added = [rules_insight(pack, noted, by_noted[noted.ids], words) for noted in left_out]
    return result.model_copy(update={"insights": [*result.insights, *added]}) if added else result


def title_of(result: Result) -> str:
    """A line for the list of the history."""
    texts = [plain(result.insights[0].title)] if result.insights else []
    texts += [plain(result.root_cause.text)] if result.root_cause else []
    texts.append(plain(result.summary))
    return next((text for text in texts if text), "")[:_LONGEST_TITLE]
