"""What a message says. Pure: findings in, text out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from dashapp.alerts.channels import Message
from dashapp.insight.finding import Finding, Severity
from dashapp.words import Words

MOST_FINDINGS = 8
_RANK: dict[Severity, int] = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words: in a few, in a sentence, and what to do about it."""

    headline: str
    sentence: str
    cause: str
    advice: str


Say = Callable[[Finding], Said]


@dataclass(frozen=True, slots=True)
class Style:
    """How a message is written: in whose name, in which language, and where the dashboard is, if that is known."""

    company: str
    words: Words
    say: Say
    address: str | None


def message_of(what: str, findings: Sequence[Finding], style: Style) -> Message:
    """A message about one incident that began or is over: the worst finding first, then the others."""
    ranked = sorted(findings, key=lambda each: (_RANK[each.severity], each.start))
    if not ranked:
        return Message(_title(style, what, ""), style.words("alert_nothing"))
    first = style.say(ranked[0])
    lines = [first.sentence, first.cause, first.advice]
    lines += [f"- {style.say(each).sentence}" for each in ranked[1:MOST_FINDINGS]]
    if len(ranked) > MOST_FINDINGS:
        lines.append(style.words("alert_more", n=len(ranked) - MOST_FINDINGS))
    severity = style.words(f"sev_{ranked[0].severity}")
    more = style.words("alert_and_more", n=len(ranked) - 1) if len(ranked) > 1 else ""
    title = _title(style, what, f"[{severity}] {first.headline}{more}")
    return Message(title, "\n".join([*filter(None, lines), *_link(ranked, style)]))


def digest_of(incidents: Sequence[tuple[str, Sequence[Finding]]], style: Style) -> Message:
    """A message about several incidents that were held back: (what, findings) of each."""
    lines = []
    for what, findings in incidents:
        ranked = sorted(findings, key=lambda each: (_RANK[each.severity], each.start))
        if ranked:
            state = style.words(f"alert_{what}")
            lines.append(f"- [{style.words(f'sev_{ranked[0].severity}')}] {state}: {style.say(ranked[0]).sentence}")
    everything = [finding for _, findings in incidents for finding in findings]
    title = f"{style.company}: {style.words('alert_digest', n=len(incidents))}"
    body = [style.words("alert_digest_why"), *(lines or [style.words("alert_nothing")])]
    return Message(title, "\n".join([*body, *_link(everything, style)]))


def test_message(style: Style, now: datetime) -> Message:
    """A message that only shows that the channels work."""
    return Message(
        f"{style.company}: {style.words('alert_test')}",
        style.words("alert_test_body", at=now.isoformat(timespec="seconds")),
    )


def _title(style: Style, what: str, headline: str) -> str:
    return f"{style.company}: {style.words(f'alert_{what}')} {headline}".strip()


def _link(findings: Sequence[Finding], style: Style) -> list[str]:
    if style.address is None or not findings:
        return []
    start = min(each.start for each in findings)
    services = {each.subject.service for each in findings}
    service = services.pop() if len(services) == 1 else None
    query = {"start": start.isoformat(timespec="minutes")} | ({"service": service} if service else {})
    ends = [each.end for each in findings]
    if all(ends):
        query["end"] = max(end for end in ends if end).isoformat(timespec="minutes")
        return [f"{style.address}/?{urlencode(query)}"]
    return [f"{style.address}/?{urlencode({'last': '1h'} | ({'service': service} if service else {}))}"]
