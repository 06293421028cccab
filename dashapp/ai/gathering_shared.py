"""What slow, failed or new requests have in common, as lines of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from dashapp.ai.evidence import ALL
from dashapp.ai.ledger import Ledger
from dashapp.comparison import Comparison
from dashapp.stats.bottlenecks import bottlenecks
from dashapp.stats.changes import read_changes
from dashapp.stats.endpoint_common import FEWEST, endpoint_common
from dashapp.stats.summary import summary
from dashapp.stats.usage import Endpoint
from dashapp.time_range import bucket_minutes
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range

_SLOWEST, _COMMON, _EXPLAINING = 3, 4, 3
_MEASURES: Mapping[str, str] = {"requests": "requests", "failures": "errors", "slow": "slow requests"}
# Fields that the filters of pages and API have, by their name there.
_FILTERS = {"client_ip": "client_ip", "network": "client_ip", "service": "service", "status": "status"}
_ATTRIBUTE = "attributes."


def failing_lines(
    reading: Reading, ledger: Ledger, whole: Range, filters: Filters, worst: Endpoint
) -> list[str]:  # fmt: skip
    """What the failed requests of an endpoint share that its others do not."""
    if worst.errors < FEWEST:
        return []
    narrowed = _of_endpoint(filters, worst)
    total = summary(reading, whole, narrowed, whole.end)
    common = endpoint_common(
        reading,
        whole,
        narrowed,
        among="failed",
        total=total,
        slowest=[],
        minutes=bucket_minutes(whole),
        zone=ledger.zone,
    )
    about = ledger.endpoint(worst.method, worst.route)
    parts = []
    for each in common.found[:_COMMON]:
        if each.band is not None:
            continue
        shown = _value(ledger, each.field, each.value)
        take = partial(_share, ledger, about, each.field, each.value, shown, path="endpoint-common", among="failed")
        inside, outside = take(each.share_inside, "share_of_failed"), take(each.share_outside, "share_of_others")
        parts.append(f"{shown} {inside} against {outside}")
    return [f"failed requests of {about} against its others, drawn: {'; '.join(parts)}"] if parts else []


def slowest_lines(reading: Reading, ledger: Ledger, whole: Range, filters: Filters) -> list[str]:
    """The slowest requests, and what they share."""
    found = bottlenecks(reading, whole, filters, most=_SLOWEST, zone=ledger.zone)
    lines = []
    for each in found.requests:
        about = ledger.endpoint(each.method, each.route)
        slow = ledger.figure(
            each.latency_ms, "ms", "latency", about=about, path="bottlenecks", more={"top_n": str(_SLOWEST)}
        )
        lines.append(f"slow request: {about} {slow}, status {each.status}, at {ledger.moment(each.ts)}")
    parts = []
    for common in found.common[:_COMMON]:
        shown = _value(ledger, common.field, common.value)
        take = partial(_share, ledger, ALL, common.field, common.value, shown, path="bottlenecks", among="")
        overall = (
            "" if common.share_overall is None else f" against {take(common.share_overall, 'share_of_all')} of all"
        )
        parts.append(f"{shown} {take(common.share_in_slowest, 'share_of_slowest')}{overall}")
    return [*lines, f"the {found.examined} slowest requests share: {'; '.join(parts)}"] if parts else lines


def changed_lines(
    reading: Reading, ledger: Ledger, whole: Range, filters: Filters, comparison: Comparison, complete: datetime
) -> list[str]:  # fmt: skip
    """Which values of which fields explain the difference to the time before."""
    changed = read_changes(reading, whole, filters, comparison, zone=ledger.zone, complete=complete)
    lines = []
    for measure, explanations in changed.found.items():
        parts = []
        for each in explanations[:_EXPLAINING]:
            shown = _value(ledger, each.field, each.value)
            take = partial(_count, ledger, each.field, each.value, shown, measure)
            parts.append(f"{shown} {take(each.now, 'now')} now, {take(each.before, 'before')} before")
        if parts:
            lines.append(f"more or fewer {_MEASURES[measure]} than before come from: {'; '.join(parts)}")
    return lines


def _value(ledger: Ledger, field: str, value: str | int) -> str:
    if field == "route":
        return f"route {ledger.name('route', value)}"
    if field.startswith(_ATTRIBUTE):  # with its name: a version such as 1.4 alone could be taken for a number
        return ledger.name(field, f"{field.removeprefix(_ATTRIBUTE)}={value}")
    return f"{field} = {value if isinstance(value, int) else ledger.name(field, value)}"


def _of(field: str, value: str | int) -> dict[str, str]:
    if field.startswith(_ATTRIBUTE):
        return {"attribute": f"{field.removeprefix(_ATTRIBUTE)}:{value}"}
    return {_FILTERS[field]: str(value)} if field in _FILTERS else {}


def _share(
    ledger: Ledger,
    about: str,
    field: str,
    value: str | int,
    shown: str,
    share: float,
    measure: str,
    *,
    path: str,
    among: str,
) -> str:
    # Only the answer that ranks what is shared gives these: its own filters, not those of the value.
    more = {"among": among} if among else {"top_n": str(_SLOWEST)}
    return ledger.figure(
        share, "share", measure, about=about, path=path, of_text=shown, page_of=_of(field, value), more=more
    )


def _count(ledger: Ledger, field: str, value: str | int, shown: str, measure: str, number: float, when: str) -> str:
    named = {"requests": "requests", "failures": "errors"}.get(measure, "slow")
    return ledger.figure(
        round(number), "count", named, when="before" if when == "before" else "now", path="changes",
        of_text=shown, page_of=_of(field, value), more={"vs": "prev"},
    )  # fmt: skip


def _of_endpoint(filters: Filters, each: Endpoint) -> Filters:
    return replace(filters, method=each.method, route=each.route)
