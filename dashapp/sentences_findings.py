"""A finding in words: what, where, since when, how much against the usual, how sure, why, and what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashapp import format as fmt
from dashapp.insight.finding import Finding, Kind, Subject, TooLittle, Unit
from dashapp.words import Words

Sentence = list[Any]
# Judged by the requests of that many minutes, not by single requests.
BY_MINUTES: frozenset[Kind] = frozenset({"traffic_spike", "traffic_drop", "outage"})
FEW_REQUESTS, FEW_MINUTES = 30, 5
SURE = 0.01
# Of fewer requests nobody can tell what is usual: that nothing was found then says nothing.
FEWEST_TO_JUDGE = 100
_CHANCES = ((1e-6, "chance_million"), (1e-4, "chance_10000"), (1e-3, "chance_1000"))
_WORD_JOINER = "\u2060"
_LOCAL = re.compile(r"\b(?:[01]\d|2[0-3]):[0-5]\d\b")
# Values that are the point of the sentence, and those that name whom it is about.
STRONG = ("observed", "part", "number")
NAMES = ("subject", "where", "client")


def say(finding: Finding, words: Words, zone: ZoneInfo) -> str:
    """What deviates, and how sure that is, as text with the day of each moment."""
    said = f"{tell(finding, words, zone)} {say_basis(finding, words)}"
    return said.replace(_WORD_JOINER, "")


def tell(finding: Finding, words: Words, zone: ZoneInfo, *, short: bool = False) -> str:
    """What deviates, where, since when and by how much, as text; `short` leaves out the day."""
    return words(f"told_{finding.kind}", **_values(finding, words, zone, short=short))


def say_rich(finding: Finding, words: Words, zone: ZoneInfo, *, short: bool = False, link: Any = None) -> Sentence:
    """The same as children: what was seen is bold, names are code, and `link` wraps the first name."""
    parts: dict[str, Any] = {}
    for name, text in _values(finding, words, zone, short=short).items():
        if name in STRONG:
            parts[name] = html.Span(html.B(text), className="text-nowrap")
        elif name in NAMES:
            parts[name] = html.Code(text) if is_name(text) else text
        else:
            parts[name] = text.replace(" ms", "\u00a0ms")  # a number and its unit stay on one line
    first = next(name for name in (*NAMES[:1], "client", "where") if name in fields_of(finding.kind, words))
    if link is not None:
        parts[first] = link(parts[first])
    return words.rich(f"told_{finding.kind}", **parts)


def say_basis(finding: Finding, words: Words) -> str:
    """On how much the judgement rests, and how likely chance alone is."""
    if finding.kind == "canary_lost":
        return words("basis_canary", n=fmt.count(finding.n))
    what, few = ("minutes", FEW_MINUTES) if finding.kind in BY_MINUTES else ("requests", FEW_REQUESTS)
    said = words(f"basis_{what}_few" if finding.n < few else f"basis_{what}", n=fmt.count(finding.n))
    if finding.p is None:
        return said
    key = "sure" if finding.p <= SURE else "unsure"
    return f"{said} {words(key, chance=chance(finding.p, words))}"


def say_cause(finding: Finding, words: Words) -> str:
    """The presumed cause; never more than a presumption."""
    if finding.cause != "call" or finding.related is None:
        return words(f"why_{finding.cause}")
    lag, after, other = (finding.facts.get(name, "") for name in ("lag", "after", "other"))
    return words(
        "why_call_of",
        related=name_of(finding.related, words),
        lag=words("lag_of", lag=lag) if lag else "",
        strength=words("why_call_strength", after=after, other=other) if after else "",
    )


def say_improvement(finding: Finding, words: Words) -> str:
    """Where to look first, and what to do if the presumption holds."""
    return f"{words(f'check_{finding.kind}')} {words(f'do_{finding.cause}')}"


def say_too_little(little: TooLittle, words: Words) -> str:
    """Why nothing is said about something."""
    text = words("too_little", n=fmt.count(little.n), needed=fmt.count(little.needed))
    return words("too_little_about", subject=name_of(little.subject, words), text=text)


def say_nothing_found(n: int | None, watched: float | None, words: Words) -> str:
    """That nothing differs from the usual, or why that cannot be told.

    Args:
        n: how many requests there are, None where that is not known.
        watched: the share that was watched, None where all was.
        words: in which language.
    """
    if n is not None and n < FEWEST_TO_JUDGE:
        return words("too_little", n=fmt.count(n), needed=fmt.count(FEWEST_TO_JUDGE))
    return words("no_findings") if watched is None else f"{words('no_findings_coarse')} {say_watched(watched, words)}"


def say_watched(watched: float, words: Words) -> str:
    """That only a share of what is shown was watched, or nothing."""
    percent = int(watched * 100)
    return words("watched_part", share=f"{percent}%") if percent else words("watched_none")


def title(kind: Kind, words: Words) -> str:
    """A kind in two or three words."""
    return words(f"named_{kind}")


def in_short(finding: Finding, words: Words) -> tuple[str, str]:
    """What was seen and what was usual, for a row of a list."""
    return amount(finding.observed, finding.unit, words), usually(finding, words)


def chance(p: float, words: Words) -> str:
    """A probability in words."""
    for limit, key in _CHANCES:
        if p < limit:
            return words(key)
    return words("chance_about", p=fmt.rate(p) if p < 0.01 else f"{p * 100:.0f}%")


def amount(value: float, unit: Unit, words: Words) -> str:
    """A value with its unit."""
    text = value_text(value, unit)
    if unit in ("share", "ms"):
        return text
    one = f"amount_one_{unit}"
    return words(one if text == "1" and words.has(one) else f"amount_{unit}", n=text)


def value_text(value: float, unit: Unit) -> str:
    """A value without the word for its unit."""
    if unit == "share":
        return fmt.rate(value)
    if unit == "ms":
        return fmt.duration(value)
    if unit == "ratio":
        return _times(value)
    if unit == "per_minute":
        return fmt.mean_count(value)
    return fmt.count(round(value))


def usually(finding: Finding, words: Words) -> str:
    """What is usual."""
    if not finding.expected:
        return words("usually_none")
    return words("usually", usual=amount(finding.expected, finding.unit, words))


def against(finding: Finding, words: Words) -> str:
    """What is usual, and how far what was seen is from it."""
    if not finding.expected or finding.effect is None:
        return usually(finding, words)
    usual = amount(finding.expected, finding.unit, words)
    if finding.effect < 1:
        return words("share_of_usual", usual=usual, share=f"{finding.effect * 100:,.0f}%")
    return words("times_usual", usual=usual, times=_times(finding.effect))


def when(finding: Finding, words: Words, zone: ZoneInfo, *, short: bool = False) -> str:
    """Since when it lasts, or from when to when it did."""
    if finding.end is None:
        return words("when_open", start=_clock(finding.start, zone, short=short))
    return words("when_closed", span=span_words(finding.start, finding.end, words, zone, short=short))


def span_words(start: datetime, end: datetime, words: Words, zone: ZoneInfo, *, short: bool) -> str:
    """From when to when; the day is not repeated within one."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    same_day = short or first.date() == last.date()
    return words("span_words", start=_clock(start, zone, short=short), end=_clock(end, zone, short=same_day))


def name_of(subject: Subject, words: Words, *, without: tuple[str, ...] = ()) -> str:
    """Which requests, in words: an endpoint, else a client, else a service, and what else restricts them."""
    left = replace(subject, **dict.fromkeys(without))
    first, details = _head(left, words)
    if first is None:
        return words("all_services")
    return words("of_subject", subject=first, details=", ".join(details)) if details else first


def client_type_name(client_type: str | None, words: Words) -> str | None:
    """A kind of client in the language of the page; one that is not in the catalogue keeps its own name."""
    key = f"client_type_{client_type}"
    return words(key) if words.has(key) else client_type


def is_name(text: str) -> bool:
    """Tell whether a text is one of the log and not of the catalogue."""
    return "/" in text or "." in text or ":" in text


def fields_of(kind: Kind, words: Words) -> set[str]:
    """Names of the values in the sentence of a kind."""
    return words.fields(f"told_{kind}")


def _head(subject: Subject, words: Words) -> tuple[str | None, list[str]]:
    endpoint = " ".join(filter(None, (subject.method, subject.route))) or None
    named = words("named_service", service=subject.service) if subject.service else None
    parts = [
        endpoint,
        subject.client_ip or subject.network,
        named if endpoint is None else subject.service,
        words("named_status", status=subject.status) if subject.status else None,
        client_type_name(subject.client_type, words),
    ]
    found = [part for part in parts if part]
    return (found[0], found[1:]) if found else (None, [])


def _values(finding: Finding, words: Words, zone: ZoneInfo, *, short: bool) -> dict[str, str]:
    """Every value that the sentence of any kind may need."""
    subject, unit = finding.subject, finding.unit
    client = subject.client_ip or subject.network
    rest = replace(subject, client_ip=None, network=None)
    has_rest = rest != Subject()
    part_unit = unit if unit in ("requests", "per_minute", "share") else "requests"
    values = {
        "subject": name_of(subject, words),
        "where": name_of(subject, words, without=("status", "client_type")),
        "client": client or words("several_clients"),
        "at": words("at_subject", subject=name_of(rest, words)) if has_rest else "",
        "when": when(finding, words, zone, short=short),
        "observed": amount(finding.observed, unit, words),
        "number": value_text(finding.observed, unit),
        "part": words(f"part_{part_unit}", n=value_text(finding.observed, unit)),
        "usual": usually(finding, words),
        "against": against(finding, words),
        **_measures(finding, words, zone),
    }
    return {name: values[name] for name in fields_of(finding.kind, words)}


def _measures(finding: Finding, words: Words, zone: ZoneInfo) -> dict[str, str]:
    facts = finding.facts
    measure = facts.get("measure", "")
    latency = words("latency_named", measure=measure) if measure else words("latency_unnamed")
    hours, paths = (facts.get(name, "") for name in ("hours", "paths"))
    hours = _LOCAL.sub(lambda found: _local(found[0], finding.start, zone), hours)
    return {
        "latency": latency,
        "measure": latency if finding.unit == "ms" else words(f"measure_{_errors_of(finding)}"),
        "hours": words("band_hours", band=hours) if hours else words("band_same_hours"),
        "examples": words("examples_of", paths=paths) if paths else "",
    }


def _errors_of(finding: Finding) -> str:
    """Which errors its share counts: those of a class, where its numbers say so, else all."""
    counted = {each.name for each in finding.evidence} & {"server_errors", "client_errors"}
    return counted.pop() if len(counted) == 1 else "errors"


def _local(clock: str, day: datetime, zone: ZoneInfo) -> str:
    """A time of day in UTC, as the search knows it, on the viewer's clock."""
    hour, minute = map(int, clock.split(":"))
    return fmt.clock(day.astimezone(UTC).replace(hour=hour, minute=minute), zone)


def _clock(moment: datetime, zone: ZoneInfo, *, short: bool) -> str:
    return fmt.clock(moment, zone) if short else fmt.day_clock(moment, zone)


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
