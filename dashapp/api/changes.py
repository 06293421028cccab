"""What changed between a range and the one that it is compared with."""

from __future__ import annotations

from pydantic import Field

from dashapp.api.inputs import FILTERS, WHOLE, Context, Given, Input, Parameter
from dashapp.api.model import Answer, Count, Milliseconds, Model, Share, Span
from dashapp.api.route import Route
from dashapp.api_params import BadParameter, choice
from dashapp.comparison import KINDS, Comparison, comparison_of
from dashapp.insight.changes import MEASURES, Explanation
from dashapp.insight.groups import Window
from dashapp.stats.changes import read_changes
from dashapp.time_range import BadRange, parse_moment, range_of
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range


class Same(Model):
    """A value that nearly the same requests have."""

    field: str
    value: str | int


class ChangedValue(Model):
    """A value of a field, and how much of the difference it explains; `exact` is false where requests were drawn."""

    field: str
    value: str | int
    now: float
    before: float
    expected: float = Field(description="How many there would be had it changed as most others did.")
    share_now: Share
    share_before: Share
    rate_now: Share | None
    rate_before: Share | None
    explains: float = Field(
        description="Of all that differs beyond chance from what was expected; negative where less."
    )
    p: Share = Field(description="Probability of chance.")
    q: Share = Field(description="The same, corrected for all values that were looked at.")
    exact: bool
    same: list[Same]


class Sums(Model):
    """Requests of a window, those that failed (status 400 and above), and those that were slow."""

    requests: Count
    failures: Count
    slow: Count


class Changes(Answer):
    """What explains the difference, the most telling first. Minutes that only one side knows are left out of both."""

    now: Span | None
    before: Span | None
    sums_now: Sums
    sums_before: Sums
    slow_from_ms: Milliseconds | None = Field(description="Slow is what is as slow as 5 % of the comparison.")
    drawn: Count = Field(description="Single requests that were looked at for what no aggregate holds.")
    requests: list[ChangedValue]
    failures: list[ChangedValue]
    slow: list[ChangedValue]


def make_changes(
    reading: Reading, context: Context, *, whole: Range, filters: Filters, comparison: Comparison
) -> Changes:  # fmt: skip
    """What changed."""
    found = read_changes(reading, whole, filters, comparison, zone=context.zone, complete=context.complete)
    requests, failures, slow = ([_value(each) for each in found.found.get(measure, ())] for measure in MEASURES)
    return Changes(
        now=_span(found.now),
        before=_span(found.before),
        sums_now=_sums(found.counts_now),
        sums_before=_sums(found.counts_before),
        slow_from_ms=found.slow_ms,
        drawn=found.drawn,
        requests=requests,
        failures=failures,
        slow=slow,
    )


def _value(each: Explanation) -> ChangedValue:
    names = ("field", "value", "now", "before", "expected", "share_now", "share_before", "rate_now", "rate_before")
    given = {name: getattr(each, name) for name in (*names, "explains", "p", "q", "exact")}
    return ChangedValue(**given, same=[Same(field=field, value=value) for field, value in each.same])


def _span(whole: Range | None) -> Span | None:
    return None if whole is None else Span(start=whole.start, end=whole.end)


def _sums(window: Window) -> Sums:
    return Sums(requests=round(window.n), failures=round(window.failed), slow=round(window.slow))


def _comparison(given: Given, context: Context) -> Comparison:
    whole, start = range_of(given, context.complete), given.get("vs_start")
    if not start:
        name = choice(given, "vs", KINDS)
        return comparison_of(next(kind for kind in KINDS if kind == name), whole, context.zone)
    try:
        return comparison_of("chosen", whole, context.zone, start=parse_moment(start, "vs_start", None))
    except BadRange as error:
        raise BadParameter(str(error)) from error


COMPARISON = Input(
    "comparison",
    (
        Parameter(
            "vs",
            "What the range is compared with: the time before it, or the same time yesterday or last week.",
            {"type": "string", "enum": list(KINDS), "default": KINDS[0]},
        ),
        Parameter(
            "vs_start",
            "Start of a time as long as the range, instead of `vs`.",
            {"type": "string", "format": "date-time"},
        ),
    ),
    _comparison,
)
ROUTES = (
    Route(
        "/stats/changes",
        "What changed: the values that explain the difference to another time, ranked",
        make_changes,
        Changes,
        (WHOLE, FILTERS, COMPARISON),
    ),
)
