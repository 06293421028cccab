"""Attributes with a hyphen in their name, which Python cannot take as keywords."""

from __future__ import annotations

from typing import Any


def aria(**values: str | None) -> dict[str, Any]:
    """`aria(label="x")` is `{"aria-label": "x"}`; None is left out."""
    return {f"aria-{name}": value for name, value in values.items() if value is not None}


def data(**values: str) -> dict[str, Any]:
    """`data(bs_theme="light")` is `{"data-bs-theme": "light"}`."""
    return {f"data-{name.replace('_', '-')}": value for name, value in values.items()}
