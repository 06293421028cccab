"""Attributes with a hyphen in their name, which Python cannot take as keywords."""

from __future__ import annotations

from typing import Any


def aria(**values: str | None) -> dict[str, Any]:
    """`aria(label="x")` is `{"aria-label": "x"}`; None is left out."""
    return {f"aria-{name}": value for name, value in values.items() if value is not None}


def data(**values: str) -> dict[str, Any]:
    """`data(keep="5")` is `{"data-keep": "5"}`."""
    return {f"data-{name}": value for name, value in values.items()}
