"""The period that a question names: "지난주", "어제 오후 9시쯤", "last Tuesday", "past 3 hours". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashapp.ai.checking.vocabulary import ENGLISH_WEEKDAYS, MONTHS, RELATIVE
from sql.plan import Range

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_AROUND_BEFORE, _AROUND_AFTER = timedelta(minutes=30), timedelta(minutes=60)
_AROUND_MINUTE = timedelta(minutes=10)
_UNITS = {
    "분": timedelta(minutes=1), "minute": timedelta(minutes=1), "min": timedelta(minutes=1),
    "시간": _HOUR, "hour": _HOUR, "일": _DAY, "day": _DAY, "주": timedelta(weeks=1), "week": timedelta(weeks=1),
}  # fmt: skip
_WEEKDAYS_KO = "월화수목금토일"
_PAST = re.compile(
    r"(?:최근|지난|last|past)\s*(?P<n>\d{1,4})?\s*(?P<unit>분|시간|일|주(?!일)|minute|min|hour|day|week)s?(?:\s?간)?",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?P<y>\d{4})[-./년]\s*(?P<m>\d{1,2})[-./월]\s*(?P<d>\d{1,2})일?|(?P<m2>\d{1,2})월\s*(?P<d2>\d{1,2})일|(?<![\d/])(?P<m3>\d{1,2})/(?P<d3>\d{1,2})(?![\d/])"
)
_ENGLISH_DATE = re.compile(
    rf"\b(?P<month>{'|'.join(MONTHS)})[a-z]*\.? (?P<day>\d{{1,2}})\b"
    rf"|\b(?P<day2>\d{{1,2}}) (?P<month2>{'|'.join(MONTHS)})[a-z]*\b",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(rf"(?P<ko>[{_WEEKDAYS_KO}])요일|\b(?P<en>{'|'.join(ENGLISH_WEEKDAYS)})\b", re.IGNORECASE)
_CLOCK = (
    r"(?:(?P<half{0}>오전|오후|새벽|아침|저녁|밤)\s*)?(?:(?P<h{0}>\d{{1,2}}):(?P<min{0}>\d{{2}})|(?P<hk{0}>\d{{1,2}})\s*시(?!간)"
    r"(?:\s*(?P<mk{0}>\d{{1,2}})\s*분|\s*(?P<half_past{0}>반))?|(?P<he{0}>\d{{1,2}})(?=\s*[ap]\.?m))(?:\s*(?P<ampm{0}>[ap])\.?m\.?)?"
)
_BETWEEN = re.compile(_CLOCK.format(1) + r"\s*(?:부터|에서|~|–|-|to|until|and)\s*" + _CLOCK.format(2), re.IGNORECASE)
_AT = re.compile(_CLOCK.format(1) + r"(?P<about>\s*(?:쯤|경|정도|무렵))?", re.IGNORECASE)
_ABOUT_EN = re.compile(r"\b(?:around|about|circa)\s*$", re.IGNORECASE)
_PARTS = {
    "새벽": (0, 6), "아침": (6, 10), "오전": (0, 12), "점심": (11, 14), "오후": (12, 18), "저녁": (18, 22),
    "밤": (20, 24),
    "morning": (6, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (18, 22), "night": (20, 24),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """A range, and the words of the question that a checked answer may repeat."""

    whole: Range
    relative: frozenset[str] = frozenset()


def period_of(question: str, now: datetime, zone: ZoneInfo) -> Period | None:
    """The period that a question names, never later than `now`; None where it names none.

    Args:
        question: in Korean or English.
        now: the moment up to which the data is complete.
        zone: the viewer's; days and weeks (from Monday on) are those of its calendar.
    """
    today = now.astimezone(zone).date()
    relative = frozenset(each.lower() for each in RELATIVE.findall(question))
    days = _days(question, today)
    clock = _clock(question)
    if days is None and clock is None:
        past = _past(question, now)
        return None if past is None else Period(past, relative)
    first, last = days or (today, today)
    if clock is None:
        start, end = _local(first, time(), zone), _local(last + _DAY, time(), zone)
    else:
        start, end = _local(first, time(), zone) + clock[0], _local(first, time(), zone) + clock[1]
        if days is None and start.astimezone(UTC) >= now:  # "at 9 pm" in the morning is yesterday's
            start, end = start - _DAY, end - _DAY
    whole = Range(start.astimezone(UTC), min(end.astimezone(UTC), now))
    return Period(whole, relative) if whole.start < whole.end else None


def _days(question: str, today: date) -> tuple[date, date] | None:
    text = question.lower()
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    last_of_last = first_of_month - _DAY
    named: tuple[tuple[str, tuple[date, date]], ...] = (
        (r"지지난\s?주|week before last", (monday - timedelta(days=14), monday - timedelta(days=8))),
        (
            r"지난\s?주(?!말)(?!\s*[월화수목금토일]요일)|저번\s?주(?!말)|last week\b",
            (monday - timedelta(days=7), monday - _DAY),
        ),
        (r"지난\s?주말|last weekend", (monday - timedelta(days=2), monday - _DAY)),
        (r"이번\s?주|this week", (monday, today)),
        (r"지난\s?달|저번\s?달|last month", (last_of_last.replace(day=1), last_of_last)),
        (r"이번\s?달|this month", (first_of_month, today)),
        (r"그저께|그제|the day before yesterday", (today - 2 * _DAY, today - 2 * _DAY)),
        (r"어제|yesterday|last (?:night|evening)", (today - _DAY, today - _DAY)),
        (r"오늘|today|this (?:morning|afternoon|evening)|tonight", (today, today)),
    )
    for pattern, span in named:
        if re.search(pattern, text):
            return span
    day = _weekday(text, today) or _date(question, today)
    return None if day is None else (day, day)


def _weekday(text: str, today: date) -> date | None:
    found = _WEEKDAY.search(text)
    if found is None:
        return None
    wanted = _WEEKDAYS_KO.index(found["ko"]) if found["ko"] else ENGLISH_WEEKDAYS.index(found["en"].lower())
    if re.search(r"지난\s?주\s*$", text[: found.start()]):
        return today - timedelta(days=today.weekday() + 7 - wanted)
    return today - timedelta(days=(today.weekday() - wanted) % 7 or 7)


def _date(question: str, today: date) -> date | None:
    found = _DATE.search(question)
    if found is not None:
        suffix = next(each for each in ("", "2", "3") if found[f"m{each}"])
        year = int(found["y"]) if found["y"] else None
        return _day_of(year, int(found[f"m{suffix}"]), int(found[f"d{suffix}"]), today)
    english = _ENGLISH_DATE.search(question)
    if english is None:
        return None
    month = MONTHS.index((english["month"] or english["month2"]).lower()) + 1
    return _day_of(None, month, int(english["day"] or english["day2"]), today)


def _day_of(year: int | None, month: int, day: int, today: date) -> date | None:
    """A date; without a year the latest one that is not in the future."""
    try:
        found = date(year or today.year, month, day)
        return found if year or found <= today else date(today.year - 1, month, day)
    except ValueError:
        return None


def _clock(question: str) -> tuple[timedelta, timedelta] | None:
    """From when to when in a day."""
    between = _BETWEEN.search(question)
    if between is not None:
        # One half of the day named stands for both: from 9 to 11 pm, 오후 2시부터 4시까지.
        second = _moment(between, 2, between["half1"])
        first = _moment(between, 1, between["ampm2"])
        return (first, second) if first < second else None
    found = _AT.search(question)
    if found is not None and (found["h1"] or found["hk1"] or found["he1"]):
        at = _moment(found, 1, None)
        exact = bool(found["min1"] or found["mk1"] or found["half_past1"])
        if found["about"] or _ABOUT_EN.search(question[: found.start()]):
            return at - _AROUND_BEFORE, at + _AROUND_AFTER
        return (at - _AROUND_MINUTE, at + _AROUND_MINUTE) if exact and at.seconds % 3600 else (at, at + _HOUR)
    for word, (start, end) in _PARTS.items():
        if re.search(word if not word.isascii() else rf"\b{word}\b", question.lower()):
            return start * _HOUR, end * _HOUR
    return None


def _moment(found: re.Match[str], place: int, half: str | None) -> timedelta:
    hour = int(found[f"h{place}"] or found[f"hk{place}"] or found[f"he{place}"])
    minute = int(found[f"min{place}"] or found[f"mk{place}"] or (30 if found[f"half_past{place}"] else 0))
    half = (found[f"ampm{place}"] or found[f"half{place}"] or half or "").lower()
    if half in ("p", "오후", "저녁", "밤") and hour < 12:
        hour += 12
    if half in ("a", "오전", "새벽") and hour == 12:
        hour = 0
    return timedelta(hours=min(hour, 24), minutes=min(minute, 59))


def _past(question: str, now: datetime) -> Range | None:
    found = _PAST.search(question)
    if found is None or (found["n"] is None and found["unit"] not in ("hour", "day", "minute", "시간")):
        return None
    width = int(found["n"] or 1) * _UNITS[found["unit"].lower()]
    return Range(now - min(width, timedelta(days=400)), now) if width else None


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone)
