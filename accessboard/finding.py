"""What a check of `doctor` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is fine, and one sentence."""

    subject: str
    fine: bool
    words: str
