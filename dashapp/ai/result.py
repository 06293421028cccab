"""What is shown and kept of an analysis, whoever made it: texts in pieces, each figure with its id."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dashapp.ai.evidence import Verdict
from dashapp.ai.reply import Confidence
from dashapp.insight.finding import Severity

Source = Literal["model", "unchanged", "rules"]
Fault = Literal[
    "number",  # differs from the figure that it cites
    "uncited",  # a number without a figure
    "unknown_id",  # cites a figure that does not exist
    "subject",  # the figure is about another endpoint
    "measure",  # the figure counts something else
    "period",  # the figure is of the time before
    "direction",  # says that it rose where it fell, or does not show that it did
    "endpoint",  # no such endpoint
    "status",  # no such status code
    "time",  # no such time
    "name",  # no such client, program or value
    "verdict",  # says that all is well where it is not
    "link",  # an address or markup
    "address",  # a client's address, an e-mail, a key
    "prompt",  # the instructions
    "evidence",  # rests on nothing
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Piece(_Part):
    """A stretch of text: plain, a figure with its id, or an endpoint or name of the evidence."""

    kind: Literal["text", "figure", "endpoint", "name"]
    text: str
    id: str | None = None


Sentence = list[Piece]


class Removed(_Part):
    """A sentence, or a whole insight, that was taken out, and why."""

    where: str
    text: str
    fault: Fault
    detail: str = ""


class CheckedInsight(_Part):
    """One problem as it is shown. `source` tells who found it; `severity_claimed` what the model said."""

    source: Literal["model", "rules"]
    endpoint: str | None
    title: list[Sentence]
    key_figures: list[Sentence]
    cause: list[Sentence]
    improvement: list[Sentence]
    evidence: list[str]
    severity: Severity
    severity_claimed: Severity | None = None


class CheckedCause(_Part):
    """The root cause; `confidence_claimed` is what the model said."""

    text: list[Sentence]
    reasons: list[Sentence]
    improvements: list[Sentence]
    evidence: list[str]
    confidence: Confidence
    confidence_claimed: Confidence | None = None


class Result(_Part):
    """A checked analysis. `verdict` is how bad it is, by what the search found; `confirmed` counts checked figures."""

    verdict: Verdict
    summary: list[Sentence]
    root_cause: CheckedCause | None
    insights: list[CheckedInsight]
    removed: list[Removed] = Field(default_factory=list)
    confirmed: int = 0


def plain(sentences: list[Sentence]) -> str:
    """Sentences as text, without ids."""
    return " ".join("".join(piece.text for piece in sentence).strip() for sentence in sentences)
