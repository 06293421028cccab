"""What a model is to answer with: the schema that is sent, and that its reply must fulfil. Pure."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashapp.insight.finding import Severity

Confidence = Literal["high", "medium", "low"]
_TEXT, _SHORT, _MOST_INSIGHTS, _MOST_IDS = 1_200, 200, 6, 24


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RootCause(_Strict):
    """What is behind it all; `evidence` are ids of figures."""

    text: str = Field(max_length=_TEXT)
    confidence: Confidence
    evidence: list[str] = Field(max_length=_MOST_IDS)
    reasons: list[str] = Field(max_length=8, description="What speaks for it, a sentence each, with figures.")
    improvements: list[str] = Field(max_length=8, description="What to do, a sentence each.")


class Insight(_Strict):
    """One problem; `endpoint` as the evidence writes it, null where it is about no single one."""

    endpoint: str | None = Field(max_length=_SHORT)
    title: str = Field(max_length=_SHORT)
    key_figures: str = Field(max_length=_TEXT)
    cause: str = Field(max_length=_TEXT)
    evidence: list[str] = Field(max_length=_MOST_IDS)
    improvement: str = Field(max_length=_TEXT)
    severity: Severity


class Reply(_Strict):
    """A whole reply."""

    summary: str = Field(max_length=_TEXT)
    root_cause: RootCause | None
    insights: list[Insight] = Field(max_length=_MOST_INSIGHTS)


def schema() -> dict[str, Any]:
    """JSON schema of a reply as strict structured output takes it: all required, no lengths, no defaults."""
    made: dict[str, Any] = deepcopy(Reply.model_json_schema())
    _simplify(made)
    return made


def _simplify(part: Any) -> None:
    if isinstance(part, dict):
        for name in ("maxLength", "maxItems", "title") if "properties" not in part else ("title",):
            if not isinstance(part.get(name), dict):
                part.pop(name, None)
        if part.get("type") == "object":
            part["required"] = list(part["properties"])
        for each in part.values():
            _simplify(each)
    elif isinstance(part, list):
        for each in part:
            _simplify(each)
