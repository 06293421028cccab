"""What the colours of a heat map mean."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashapp.figures.base import role
from dashapp.figures.heatmap import HEAT_STEPS
from dashapp.words import Words


def heat_scale(words: Words, *, low: str | None = None, high: str | None = None, gaps: bool = True) -> Component:
    """The steps from few to many, or from `low` to `high`, and the hatch of what is not known."""
    steps = [html.I(style={"background": role(f"heat-{i}")}) for i in range(HEAT_STEPS)]
    hatch: list[Any] = [html.I(className="hatch"), words("no_data")] if gaps else []
    shown = [low or words("few"), html.Span(steps, className="scale"), high or words("many"), *hatch]
    return html.Div(shown, className="lg")
