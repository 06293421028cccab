"""A finding as it is kept, and back. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from dashapp.insight.finding import Evidence, Finding, Subject

_SUBJECT = tuple(each.name for each in fields(Subject))
_KEY_LENGTH = 20
_MOST_REAL = 1e300


def key_of(finding: Finding) -> str:
    """Name of a finding: the same whoever finds the same, now or in a replay."""
    parts = [finding.kind, *(getattr(finding.subject, name) or "" for name in _SUBJECT)]
    parts.append(finding.start.astimezone(UTC).isoformat(timespec="minutes"))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_KEY_LENGTH]


def same_thing(one: Finding, other: Finding) -> bool:
    """Whether two findings are of the same kind and about the same requests."""
    return one.kind == other.kind and one.subject == other.subject


def columns_of(key: str, finding: Finding, *, incident: str, late: bool, watch: int) -> dict[str, Any]:
    """Columns of the table; no number in them is one that JSON has no word for."""
    payload = payload_of(finding)
    return {
        "key": key,
        **{name: getattr(finding.subject, name) for name in _SUBJECT},
        "client_ip": _address(finding.subject.client_ip),
        "network": _network(finding.subject.network),
        "start_at": payload["start"],
        "end_at": payload["end"],
        **{name: payload[name] for name in ("kind", "severity", "unit", "observed", "expected", "effect", "score")},
        **{name: payload[name] for name in ("p", "n", "cause")},
        "payload": payload,
        "incident": incident,
        "late": late,
        "watch": watch,
    }


def payload_of(finding: Finding) -> dict[str, Any]:
    """The whole finding as JSON takes it."""
    return {
        **{name: getattr(finding, name) for name in ("kind", "severity", "unit", "cause")},
        "subject": _subject(finding.subject),
        "start": _moment(finding.start),
        # Its last minute is one: an end before the beginning would be a fault of ours, and no reason to keep nothing.
        "end": None if finding.end is None else _moment(max(finding.end, finding.start)),
        "observed": _number(finding.observed),
        "expected": _number(finding.expected),
        "effect": None if finding.effect is None or not math.isfinite(finding.effect) else float(finding.effect),
        "score": _number(finding.score),
        "p": None if finding.p is None or math.isnan(finding.p) else float(finding.p),
        "n": int(finding.n),
        "evidence": [asdict(each) | {"value": _number(each.value)} for each in finding.evidence],
        "related": None if finding.related is None else _subject(finding.related),
        "facts": {name: str(value) for name, value in finding.facts.items()},
    }


def finding_of(payload: Mapping[str, Any]) -> Finding:
    """The finding that was kept."""
    end = payload["end"]
    related = payload.get("related")
    known = {each.name for each in fields(Finding)}
    return Finding(
        **{name: value for name, value in payload.items() if name in known}
        | {
            "subject": Subject(**payload["subject"]),
            "start": datetime.fromisoformat(payload["start"]),
            "end": None if end is None else datetime.fromisoformat(end),
            "evidence": tuple(Evidence(**each) for each in payload["evidence"]),
            "related": None if related is None else Subject(**related),
        }
    )


def _subject(subject: Subject) -> dict[str, str]:
    return {name: value for name in _SUBJECT if (value := getattr(subject, name)) is not None}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _number(value: float) -> float:
    if math.isnan(value):
        return 0.0
    return float(min(max(value, -_MOST_REAL), _MOST_REAL))


def _address(text: str | None) -> str | None:
    try:
        return None if text is None else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _network(text: str | None) -> str | None:
    try:
        return None if text is None else str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None
