"""A chart in an answer: bars of names or columns of times, each with the id of its figure. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from dashapp.ai.ledger import CITED


class Bar(BaseModel):
    """One bar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    value: float
    text: str
    id: str


class Chart(BaseModel):
    """Bars of one measure; `kind` is what the labels are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["endpoint", "status", "client", "time"]
    measure: str
    bars: list[Bar]


def bar(label: str, value: float, cited: str) -> Bar:
    """A bar of a figure as `Ledger.figure` writes it: 265[e1]."""
    return Bar(label=label, value=value, text=CITED.sub("", cited), id=CITED.findall(cited)[0])


def chart_for(charts: list[Chart], cited: set[str]) -> Chart | None:
    """The chart that an answer speaks of most, with at least two bars; None where it speaks of none."""

    def spoken(chart: Chart) -> int:
        return sum(each.id in cited for each in chart.bars)

    telling = [chart for chart in charts if len(chart.bars) > 1 and spoken(chart)]
    return max(telling, key=spoken, default=None)
