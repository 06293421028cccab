"""Dates and days of the week as a text writes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from dashapp.ai.checking.vocabulary import ENGLISH_WEEKDAYS, MONTHS, WEEKDAYS

_MONTH = re.compile("|".join(MONTHS), re.IGNORECASE)


def names_date(text: str, days: Iterable[date]) -> bool:
    """Whether a text such as 11-23, 11월 23일, Nov 23 or 월요일 names one of some days."""
    lowered = text.lower()
    for place, names in enumerate(zip(WEEKDAYS, ENGLISH_WEEKDAYS, strict=True)):
        if lowered in names:
            return any(day.weekday() == place for day in days)
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    month = _MONTH.search(text)
    if month is not None:
        wanted_month = MONTHS.index(month[0].lower()) + 1
        year = next((each for each in numbers if each > 31), None)
        day_number = next((each for each in numbers if each <= 31), 0)
    else:
        year = numbers[0] if len(numbers) == 3 else None
        wanted_month, day_number = numbers[-2], numbers[-1]
    return any(
        (day.month, day.day) == (wanted_month, day_number) and (year is None or day.year == year) for day in days
    )
