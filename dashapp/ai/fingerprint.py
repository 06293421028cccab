"""Tells whether evidence is the same as before: by what it says, not by when it was read. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from dashapp.ai.evidence import Pack


def fingerprint(pack: Pack, filters: Mapping[str, str], language: str) -> str:
    """Digest of all figures but times, of what they are about, of the filters, the length and the language."""
    length = (pack.end - pack.start).total_seconds()
    figures = [
        (figure.measure, figure.about, figure.of, figure.when, figure.unit, figure.value)
        for figure in pack.figures.values()
        if figure.unit != "time"
    ]
    found = [(each.kind, each.severity, each.endpoints) for each in pack.findings]
    told = json.dumps([length, sorted(filters.items()), language, figures, found], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
