"""Ask an OpenAI-compatible server: structured output where it has it, tools, streams; every fault by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dashapp.ai.faults import ModelFault, Reason
from dashapp.ai.prices import Tokens
from dashapp.ai.tokens import rough_tokens

if TYPE_CHECKING:
    import openai

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Where the model is and how it is asked."""

    key: str
    base_url: str | None
    model: str
    temperature: float
    max_output_tokens: int
    timeout_s: float
    retries: int = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said: its text, or the tools that it calls; and what that took."""

    text: str
    tokens: Tokens
    model: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called, with its arguments as JSON text."""

    id: str
    name: str
    arguments: str


@dataclass
class Dialect:
    """What this server takes: learnt from what it refused."""

    limit: str = "max_completion_tokens"
    temperature: bool = True
    usage: bool = True
    format: str = "json_schema"
    refused: set[str] = field(default_factory=set)


class ModelClient:
    """One server and model. Imports the SDK when it is first asked, not before."""

    def __init__(self, settings: ModelSettings, dialect: Dialect | None = None) -> None:
        """Connect to nothing yet; `dialect` is what others have learnt of this server."""
        self.settings = settings
        self._dialect = dialect or Dialect()
        self._client: openai.OpenAI | None = None

    @property
    def has_structured_output(self) -> bool:
        """Whether the server takes a schema, as far as is known."""
        return self._dialect.format == "json_schema"

    def answer(self, messages: Sequence[Message], schema: dict[str, Any], *, model: str | None = None) -> Said:
        """Ask for JSON of a schema.

        Raises:
            ModelFault: nothing came, or it was cut off, empty or refused.
        """

        def ask(dialect: Dialect) -> Said:
            return _whole(self._create(dialect, messages, model, **_format(dialect, schema)), messages)

        return self._adapting(ask)

    def stream(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, on_text: Callable[[str], None]
    ) -> Said:
        """Ask with tools; the text is given to `on_text` as it comes. Raises ModelFault as `answer` does."""

        def ask(dialect: Dialect) -> Said:
            more: dict[str, Any] = {"stream": True}
            if tools:
                more["tools"] = list(tools)
            if dialect.usage:
                more["stream_options"] = {"include_usage": True}
            return _streamed(self._create(dialect, messages, None, **more), messages, self.settings.model, on_text)

        return self._adapting(ask)

    def ping(self) -> Said:
        """Ask for one word."""
        return self._adapting(
            lambda dialect: _whole(
                self._create(dialect, [{"role": "user", "content": "Answer: ok"}], None), [], any_end=True
            )
        )

    def close(self) -> None:
        """Drop the connections; a call that waits fails."""
        if self._client is not None:
            self._client.close()

    def _create(self, dialect: Dialect, messages: Sequence[Message], model: str | None, **more: Any) -> Any:
        settings = self.settings
        limits: dict[str, Any] = {dialect.limit: settings.max_output_tokens}
        if dialect.temperature:
            limits["temperature"] = settings.temperature
        # The SDK's types have a class for each kind of message; ours are what goes over the wire.
        create: Callable[..., Any] = self._open().chat.completions.create
        return create(model=model or settings.model, messages=list(messages), **limits, **more)

    def _open(self) -> openai.OpenAI:
        if self._client is None:
            import openai

            settings = self.settings
            self._client = openai.OpenAI(
                api_key=settings.key,
                base_url=settings.base_url,
                timeout=settings.timeout_s,
                max_retries=settings.retries,
            )
        return self._client

    def _adapting(self, ask: Callable[[Dialect], Said]) -> Said:
        """Ask again without what the server does not know, each at most once."""
        while True:
            try:
                with _named_faults():
                    return ask(self._dialect)
            except _Refused as refused:
                if not self._learn(refused.detail):
                    raise ModelFault(refused.reason, refused.detail) from refused

    def _learn(self, detail: str) -> bool:
        dialect, said = self._dialect, detail.lower()
        for word in (
            "max_completion_tokens",
            "max_tokens",
            "temperature",
            "stream_options",
            "response_format",
            "schema",
        ):
            name = "response_format" if word == "schema" else word
            if word not in said:
                continue
            mark = f"{name}:{dialect.format}" if name == "response_format" else name
            if mark in dialect.refused:
                continue
            dialect.refused.add(mark)
            if name in ("max_completion_tokens", "max_tokens"):
                dialect.limit = "max_tokens" if dialect.limit == "max_completion_tokens" else "max_completion_tokens"
            elif name == "temperature":
                dialect.temperature = False
            elif name == "stream_options":
                dialect.usage = False
            elif dialect.format != "none":
                dialect.format = "json_object" if dialect.format == "json_schema" else "none"
            return True
        return False


class _Refused(Exception):
    """A request that the server does not understand."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


def _format(dialect: Dialect, schema: dict[str, Any]) -> dict[str, Any]:
    if dialect.format == "json_schema":
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "analysis", "strict": True, "schema": schema},
            }
        }
    return {"response_format": {"type": "json_object"}} if dialect.format == "json_object" else {}


def _whole(answer: Any, messages: Sequence[Message], *, any_end: bool = False) -> Said:
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list):  # the SDK hands on whatever came with a 200
        raise ModelFault("not_json", "the answer has no choices")
    if not choices:
        raise ModelFault("empty")
    choice = answer.choices[0]
    text = choice.message.content or ""
    tokens = _tokens(answer.usage, messages, text)
    said = Said(text, tokens, str(answer.model))
    if getattr(choice.message, "refusal", None) or choice.finish_reason == "content_filter":
        raise Spoilt("refusal", said, str(getattr(choice.message, "refusal", "") or ""))
    if choice.finish_reason == "length" and not any_end:
        raise Spoilt("cut_off", said)
    if not text.strip() and not any_end:
        raise Spoilt("empty", said)
    return said


class Spoilt(ModelFault):
    """An answer that cannot be used; it was paid for."""

    def __init__(self, reason: Reason, said: Said, detail: str = "") -> None:
        """Keep what came."""
        super().__init__(reason, detail)
        self.said = said


def _streamed(chunks: Any, messages: Sequence[Message], model: str, on_text: Callable[[str], None]) -> Said:
    text: list[str] = []
    calls: dict[int, dict[str, str]] = {}
    finish, usage = None, None
    broken = ""
    try:
        for chunk in chunks:
            usage = getattr(chunk, "usage", None) or usage
            model = chunk.model or model
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                if choice.delta.content:
                    text.append(choice.delta.content)
                    on_text(choice.delta.content)
                for part in choice.delta.tool_calls or ():
                    call = calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                    call["id"] = part.id or call["id"]
                    if part.function is not None:
                        call["name"] += part.function.name or ""
                        call["arguments"] += part.function.arguments or ""
    except _stream_errors() as error:
        broken = str(error) or type(error).__name__
    whole = "".join(text)
    spent = json.dumps([*calls.values()]) if calls else ""
    said = Said(
        whole,
        _tokens(usage, messages, whole + spent),
        model,
        tuple(ToolCall(**calls[place]) for place in sorted(calls)),
    )
    if broken or finish is None:
        raise Spoilt("broken_stream", said, broken)
    if finish == "length":
        raise Spoilt("cut_off", said)
    if finish == "content_filter":
        raise Spoilt("refusal", said)
    if not whole.strip() and not calls:
        raise Spoilt("empty", said)
    return said


def _stream_errors() -> tuple[type[Exception], ...]:
    """What reading a stream may raise when it ends too early, or holds no JSON."""
    import httpx2
    import openai

    return (httpx2.HTTPError, openai.APIError, json.JSONDecodeError)


def _tokens(usage: Any, messages: Sequence[Message], text: str) -> Tokens:
    """As the server counts them; where it does not, as they are estimated."""
    if usage is not None:
        return Tokens(int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0))
    return Tokens(sum(rough_tokens(str(each.get("content") or "")) for each in messages), rough_tokens(text))


@contextmanager
def _named_faults() -> Iterator[None]:
    import openai

    try:
        yield
    except openai.APITimeoutError as error:
        raise ModelFault("timeout") from error
    except openai.APIConnectionError as error:
        raise ModelFault("no_network", _cause_of(error)) from error
    except openai.APIStatusError as error:
        reason = _reason(error)
        if reason == "bad_request":
            raise _Refused(reason, _detail(error)) from error
        raise ModelFault(reason, _detail(error)) from error
    except openai.APIResponseValidationError as error:
        raise ModelFault("not_json", "the server's answer has another shape") from error
    except openai.APIError as error:
        raise ModelFault("broken_stream", str(error.message)) from error
    except (json.JSONDecodeError, AttributeError, TypeError, KeyError) as error:
        # A server that answers 200 with something else: the SDK hands it on unchecked.
        raise ModelFault("not_json", type(error).__name__) from error


def _reason(error: openai.APIStatusError) -> Reason:
    code = str(getattr(error, "code", "") or "")
    if error.status_code == 401:
        return "wrong_key"
    if error.status_code == 403:
        return "forbidden"
    if error.status_code == 404 or code == "model_not_found":
        return "unknown_model"
    if error.status_code == 429:
        return "no_quota" if code == "insufficient_quota" else "rate_limited"
    if error.status_code in (408, 504):
        return "timeout"
    return "server_error" if error.status_code >= 500 else "bad_request"


def _detail(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        found = body.get("message") or body.get("error") or body.get("detail") or ""
        return f"HTTP {error.status_code}: {found}"[:300]
    return f"HTTP {error.status_code}"


def _cause_of(error: Exception) -> str:
    return str(error.__cause__ or error)[:200]
