"""Is data arriving: the sentence at the top of the Collection page, and how grave it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashapp import format as fmt
from dashapp.quantities import age
from dashapp.stats.arriving import Arriving, live_sources, silent_sources
from dashapp.stats.collection import Arrived, Collection
from dashapp.words import CATALOGUE, Words
from sql.arriving import Activity

# What a sender drops when it is refused; it comes again after the other answers.
LOSING = frozenset({"bad_token", "too_large", "unknown_encoding"})
# What any server that the internet can reach logs every day.
NOISE = frozenset({"bad_method", "bad_path"})
Said = list[Any]


def adds_up(arrived: Arrived) -> bool:
    """Whether received = stored + duplicate + quarantined."""
    return arrived.received == arrived.stored + arrived.duplicate + arrived.quarantined


def level_of(found: Arriving) -> str:
    """How grave it is: high where data is lost or nothing comes any more, medium where somebody should look."""
    silent = silent_sources(found.sources, found.now)
    refused = refused_by_reason(found.hour)
    unequal = not (adds_up(found.whole.totals) and adds_up(found.hour.totals))
    if unequal or LOSING & refused.keys() or (silent and not live_sources(found.sources, found.now)):
        return "high"
    kinds = found.hour.totals.quarantined_by_kind.keys() - NOISE
    return "medium" if silent or refused or kinds else "low"


def say_arriving(found: Arriving, zone: ZoneInfo, words: Words) -> Said:
    """Who sends, who stopped, and what was not taken in the last hour."""
    if found.began is None:
        return [words("say_nothing_ever")]
    said: list[Said] = [_sending(found, zone, words)]
    if silent := silent_sources(found.sources, found.now):
        said.append(_silent(silent, found.now, zone, words))
    said.append(_last_hour(found.hour, words))
    if not (adds_up(found.whole.totals) and adds_up(found.hour.totals)):
        said.append([html.B(words("say_unequal"))])
    return [part for sentence in said for part in (" ", *sentence)][1:]


def refused_by_reason(found: Collection) -> dict[str, int]:
    """Refused requests by reason, most first."""
    counts: dict[str, int] = {}
    for each in found.refused:
        counts[each.reason] = counts.get(each.reason, 0) + each.requests
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def kind_name(kind: str, words: Words) -> str:
    """A reason of quarantine in words; one that this version does not know as it is."""
    return words(f"kind_{kind}") if f"kind_{kind}" in CATALOGUE else kind


def refusal_name(reason: str, words: Words) -> str:
    """A reason of refusal in words; one that this version does not know as it is."""
    return words(f"refusal_{reason}") if f"refusal_{reason}" in CATALOGUE else reason


def _sending(found: Arriving, zone: ZoneInfo, words: Words) -> Said:
    live = live_sources(found.sources, found.now)
    if not live:
        if not found.sources:
            return [words("say_no_source_day")]
        last = max(each.last_arrival for each in found.sources)
        return [words("say_no_source", when=_when(last, found.now, zone), age=age(found.now - last, words))]
    values = {
        "age": age(found.now - live[0].last_arrival, words),
        "rate": fmt.mean_count(found.hour.totals.rate_per_minute),
    }
    if len({each.source for each in live}) == 1:
        return words.rich("say_one_source", source=_name(live[0]), **values)
    return words.rich("say_sources", n=html.B(str(len({each.source for each in live}))), **values)


def _silent(silent: list[Activity], now: datetime, zone: ZoneInfo, words: Words) -> Said:
    latest = silent[0]
    values: dict[str, Any] = {
        "source": _name(latest),
        "when": html.B(_when(latest.last_arrival, now, zone)),
        "age": age(now - latest.last_arrival, words),
    }
    if len(silent) == 1:
        return words.rich("say_silent", **values)
    return words.rich("say_silent_more", **values, n=str(len(silent) - 1))


def _last_hour(hour: Collection, words: Words) -> Said:
    said: Said = []
    parts: tuple[tuple[str, Mapping[str, int], Callable[[str, Words], str], str], ...] = (
        ("say_quarantined", hour.totals.quarantined_by_kind, kind_name, "kind"),
        ("say_refused", refused_by_reason(hour), refusal_name, "reason"),
    )
    for key, counts, name_of, field in parts:
        if counts:
            most = max(counts, key=lambda name: (counts[name], name))
            values = {field: name_of(most, words), "most": fmt.count(counts[most])}
            total = html.B(fmt.count(sum(counts.values())))
            said += [" ", *words.rich(key, n=total, **values)]
    return said[1:] if said else [words("say_nothing_bad")]


def _name(sent: Activity) -> html.Code:
    return html.Code(sent.source)


def _when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    same_day = moment.astimezone(zone).date() == now.astimezone(zone).date()
    return fmt.clock(moment, zone) if same_day else fmt.day_clock(moment, zone)
