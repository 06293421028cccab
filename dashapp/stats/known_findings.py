"""What stands out in a range: what the watch kept, and a search of what it has not gone through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashapp.insight.finding import Finding
from dashapp.scan.kept import finding_of
from dashapp.stats.findings import findings
from sql.connection import Reading
from sql.filters import Filters
from sql.findings import KeptFinding, Selection, covered, find
from sql.plan import MINUTE, Range, ceil, floor, joined
from sql.span import data_span
from sql.watching import spans_with_data

# Of one range; beyond, the latest to begin are shown.
MOST_KEPT = 500
# What the watch has not come to yet is no gap.
_BEHIND = 5 * MINUTE
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# The share of a range that must be watched for a search of the rest to say nothing that counts.
_ENOUGH = 0.98
_RANK = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Known:
    """A finding; `kept` is None where it was searched just now."""

    finding: Finding
    kept: KeptFinding | None


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """The worst first; `truncated` where there are more than are shown, `watched` the share that was watched."""

    findings: list[Known]
    truncated: bool
    watched: float

    @property
    def is_watched(self) -> bool:
        """Whether all that is worth saying was looked at minute by minute."""
        return self.watched >= _ENOUGH


@dataclass(frozen=True, slots=True)
class Found:
    """What a page shows: the findings, and which share of the range was watched, None where all of it was."""

    findings: list[Finding]
    watched: float | None = None


def known_findings(reading: Reading, whole: Range, filters: Filters, complete: datetime) -> KnownFindings:
    """What stands out in what is final of a range, under filters."""
    known = Range(whole.start, min(whole.end, complete))
    if known.start >= known.end:
        return KnownFindings([], truncated=False, watched=0.0)
    selection = Selection(known, filters)
    page = find(reading, selection, limit=MOST_KEPT)
    parts = covered(reading, known, filters.service) if selection.possible() else []
    watched = _watched(reading, parts, Range(known.start, min(known.end, complete - _BEHIND)))
    found = [Known(finding_of(each.payload), each) for each in page.findings]
    if watched < _ENOUGH:
        searched = findings(reading, _logged(reading, known, filters, complete), filters, complete)
        found += [Known(each, None) for each in searched if not _is_watched(each, parts, complete)]
    found.sort(key=lambda each: (_RANK[each.finding.severity], -each.finding.score, each.finding.start))
    return KnownFindings(found, truncated=page.truncated, watched=watched)


def findings_of_range(reading: Reading, whole: Range, filters: Filters, complete: datetime) -> Found:
    """The same as a page shows it."""
    known = known_findings(reading, whole, filters, complete)
    return Found([each.finding for each in known.findings], None if known.is_watched else known.watched)


def _logged(reading: Reading, known: Range, filters: Filters, complete: datetime) -> Range:
    """Without what comes after a log that ended long ago: that it has no requests there is no drop."""
    span = data_span(reading, filters.service)
    if span is None or complete - span.end < _DAY:
        return known
    return Range(known.start, max(known.start, min(known.end, ceil(span.end, MINUTE))))


def _watched(reading: Reading, parts: Sequence[Range], span: Range) -> float:
    """The share that was watched of the hours in which there are requests; all of a range without any."""
    if span.start >= span.end:
        return 1.0 if parts else 0.0
    if (share := _share(parts, span)) >= _ENOUGH or not parts:
        return share
    widened = joined(Range(floor(part.start, _HOUR), ceil(part.end, _HOUR)) for part in parts)
    whole = timedelta(0)
    watched = timedelta(0)
    for each in spans_with_data(reading, span, gap=timedelta(0)):
        # A log begins and ends within an hour.
        start, end = max(each.start, span.start), min(each.end, span.end)
        if start < end:
            whole += end - start
            watched += _share(widened, Range(start, end)) * (end - start)
    return watched / whole if whole else 1.0


def _share(parts: Sequence[Range], whole: Range) -> float:
    inside = (min(each.end, whole.end) - max(each.start, whole.start) for each in parts)
    return sum((each for each in inside if each > timedelta(0)), timedelta(0)) / (whole.end - whole.start)


def _is_watched(finding: Finding, parts: Sequence[Range], complete: datetime) -> bool:
    """Whether the watch would have found it: most of its time lies in what was watched."""
    span = Range(finding.start, max(finding.end or complete, finding.start + MINUTE))
    return _share(parts, span) > 0.5
