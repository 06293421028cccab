"""Every sentence and label of the pages, in Korean and English. Tabs and time buttons are English in both."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import Any

from dashapp.words import (
    access,
    ai,
    alerting,
    alerts,
    analyses,
    changes,
    collection,
    common,
    endpoints,
    findings,
    findings_causes,
    findings_kinds,
    findings_numbers,
    health,
    logs,
    overview,
    patterns,
    realtime,
    record,
    report,
    shell,
)

LANGUAGES = ("ko", "en")

# A module for each page. key: (Korean, English); both name the same facts in the same order.
PARTS = (
    shell, common, overview, endpoints, patterns, findings, findings_kinds, findings_causes, findings_numbers, realtime,
    logs, record, ai, collection, report, analyses, alerts, alerting, changes,
    access, health,
)  # fmt: skip
CATALOGUE: dict[str, tuple[str, str]] = {key: texts for part in PARTS for key, texts in part.TEXTS.items()}


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue in one language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """Text of a key with its values filled in."""
        return self._template(key).format(**values)

    def rich(self, key: str, **parts: Any) -> list[Any]:
        """Text of a key with components in the places of its values, as children."""
        children: list[Any] = []
        for text, name, _, _ in Formatter().parse(self._template(key)):
            children += [text] if text else []
            children += [parts[name]] if name else []
        return children

    def has(self, key: str) -> bool:
        """Tell whether there is a text of a key that was put together."""
        return key in CATALOGUE

    def fields(self, key: str) -> set[str]:
        """Names of the values in the text of a key."""
        return {name for _, name, _, _ in Formatter().parse(self._template(key)) if name}

    def _template(self, key: str) -> str:
        return CATALOGUE[key][LANGUAGES.index(self.language)]
