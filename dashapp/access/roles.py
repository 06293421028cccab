"""Roles, each of which may do what those before it may. Pure."""

from __future__ import annotations

from typing import Literal

Role = Literal["viewer", "analyst", "administrator"]
Level = Literal["public", "guest", "viewer", "analyst", "administrator"]
ROLES: tuple[Role, ...] = ("viewer", "analyst", "administrator")
LEVELS: tuple[Level, ...] = ("public", "guest", *ROLES)
# What a token of a program may do, by its scope.
SCOPES: dict[str, Level] = {"read": "viewer", "analyse": "analyst"}


def reaches(level: Level, needed: Level) -> bool:
    """Whether somebody of a level may do what needs another."""
    return LEVELS.index(level) >= LEVELS.index(needed)
