"""Numbers and times as text, by one set of rules for every page. Pure; nothing here knows a language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

UNKNOWN = "-"
MINUS = "\u2212"
SECONDS_FROM_MS = 10_000
SHARE_DECIMALS = 2


def count(value: int | None) -> str:
    """Whole number with thousands separators: 1,234."""
    return UNKNOWN if value is None else f"{value:,}"


def mean_count(value: float) -> str:
    """Mean of counts; one decimal below 10."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Share of a whole (0 to 1) in percent: 0.91%; what is not 0 is never written as 0."""
    if value is None:
        return UNKNOWN
    if 0 < value < 0.00005:
        return "<0.01%"
    return f"{value * 100:.2f}%"


def error_bound(value: float | None) -> str:
    """Largest relative error of a percentile: ±2.44%, - where it is not bounded."""
    if value is None:
        return "-"
    return f"±{value * 100:.2f}%"


def change(value: float) -> str:
    """Relative change without decimals, with its sign: +30%, −4%, ±0%."""
    if abs(value) < 0.005:
        return "±0%"
    return f"{'+' if value > 0 else MINUS}{abs(value) * 100:,.0f}%"


def ms_number(value: float | None) -> str:
    """Milliseconds without their unit; one decimal below 10."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if round(value, 1) >= 10 else f"{value:.1f}"


def duration(value_ms: float | None) -> str:
    """Latency with its unit: 3.4 ms, 1,234 ms, 12.3 s."""
    if value_ms is None:
        return UNKNOWN
    if value_ms >= SECONDS_FROM_MS:
        return f"{value_ms / 1000:,.1f} s"
    return f"{ms_number(value_ms)} ms"


def per_second(value: float | None) -> str:
    """Throughput: 27.8 req/s; two decimals below 10."""
    if value is None:
        return UNKNOWN
    if 0 < value < 0.005:
        return "<0.01 req/s"
    return f"{value:,.2f} req/s" if value < 10 else f"{value:,.1f} req/s"


def shares(counts: Sequence[int]) -> list[str]:
    """Percentages that sum to exactly 100, by largest remainder; all unknown where the sum is 0."""
    total = sum(counts)
    if not total:
        return [UNKNOWN] * len(counts)
    units = 100 * 10**SHARE_DECIMALS
    whole = [n * units // total for n in counts]
    by_remainder = sorted(range(len(counts)), key=lambda i: -(counts[i] * units % total))
    for i in by_remainder[: units - sum(whole)]:
        whole[i] += 1
    return [
        "<0.01%" if n and not share else f"{share / 10**SHARE_DECIMALS:.{SHARE_DECIMALS}f}%"
        for n, share in zip(counts, whole, strict=True)
    ]


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Time of day to the minute: 14:32."""
    return f"{moment.astimezone(zone):%H:%M}"


def clock_seconds(moment: datetime, zone: ZoneInfo) -> str:
    """Time of day to the second: 14:32:00."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def clock_ms(moment: datetime, zone: ZoneInfo) -> str:
    """Time of day to the millisecond: 14:32:00.123."""
    return moment.astimezone(zone).strftime("%H:%M:%S.%f")[:-3]


def day_clock(moment: datetime, zone: ZoneInfo) -> str:
    """Month, day and time: 11-23 14:32."""
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def local_minute(moment: datetime, zone: ZoneInfo) -> str:
    """Full local time as the Start and End fields show it; seconds only where there are any."""
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M" if not local.second else "%Y-%m-%d %H:%M:%S")


def zone_name(moment: datetime, zone: ZoneInfo) -> str:
    """Abbreviation of the zone at a moment: KST."""
    return moment.astimezone(zone).tzname() or str(zone)


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """From-to of one chart bucket; the date is repeated where the day changes."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    tail = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%m-%d %H:%M}"
    return f"{first:%m-%d %H:%M} – {tail}"
