"""How messages are written: in the language and the zone of the settings."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from dashapp.alerts.message import Said, Style
from dashapp.insight.finding import Finding
from dashapp.sentences_findings import name_of, say, say_cause, say_improvement, title
from dashapp.settings import DashboardSettings
from dashapp.words import Words


def style_of(settings: DashboardSettings) -> Style:
    """The style of the settings."""
    words = Words(settings.ui_language)
    say = partial(_said, words=words, zone=settings.zone)
    return Style(settings.company_name, words, say, settings.dashboard_url)


def _said(finding: Finding, *, words: Words, zone: ZoneInfo) -> Said:
    return Said(
        headline=f"{title(finding.kind, words)} - {name_of(finding.subject, words)}",
        sentence=say(finding, words, zone),
        cause=say_cause(finding, words),
        advice=say_improvement(finding, words),
    )
