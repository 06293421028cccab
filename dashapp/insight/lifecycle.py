"""How a finding comes and goes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashapp.insight.finding import Finding


@dataclass(frozen=True, slots=True)
class Change:
    """That a finding opened, became different or closed; `key` is the same from opening to closing."""

    what: Literal["opened", "updated", "closed"]
    key: str
    finding: Finding
