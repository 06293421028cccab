"""What Pattern Analysis reads: its parts, each of one snapshot, and all of the same one unless a part fails."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from dashapp.parts import Failed, Parts
from dashapp.stats.apart import Apart, read_apart
from dashapp.stats.clients import Clients, clients
from dashapp.stats.known_findings import Found
from dashapp.stats.methods import MethodFigures, methods
from dashapp.stats.networks import Networks, networks
from dashapp.stats.novelties import Novelties, read_novelties
from dashapp.stats.overview import Question, Series, both_sides, found, series
from dashapp.stats.patterns import Hour, WeekHour, read_hours, week_of
from sql.connection import Reading
from sql.plan import Range
from sql.span import data_span

MOST_SEGMENTS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Hours of the range one by one and by weekday, and from when to when there is data at all."""

    hours: list[Hour]
    week: list[WeekHour]
    span: Range | None


@dataclass(frozen=True, slots=True)
class Methods:
    """Methods of the range; and of both sides where they are compared."""

    whole: list[MethodFigures]
    now: list[MethodFigures] | None = None
    before: list[MethodFigures] | None = None


@dataclass(frozen=True, slots=True)
class PatternPage:
    """All parts of the page."""

    week: Week | Failed
    series: Series | Failed
    methods: Methods | Failed
    networks: Networks | Failed
    clients: Clients | Failed
    apart: Apart | Failed
    novelties: Novelties | Failed
    found: Found | Failed


def read_patterns(engine: sa.Engine, question: Question) -> PatternPage:
    """Read the page."""
    whole, filters = question.whole, question.filters

    def hours(reading: Reading) -> list[Hour]:
        return read_hours(reading, whole, filters, zone=question.zone, complete=question.complete)

    def week(reading: Reading) -> Week:
        return Week(hours(reading), week_of(hours(reading), question.zone), data_span(reading, filters.service))

    with Parts(engine) as parts:
        return PatternPage(
            week=parts.read(week),
            series=parts.read(lambda reading: series(reading, question)),
            methods=parts.read(lambda reading: read_methods(reading, question)),
            networks=parts.read(lambda reading: networks(reading, whole, filters, most=MOST_SEGMENTS)),
            clients=parts.read(lambda reading: clients(reading, whole, filters, most=MOST_SEGMENTS)),
            apart=parts.read(lambda reading: read_apart(reading, whole, filters, hours(reading), zone=question.zone)),
            novelties=parts.read(
                lambda reading: read_novelties(reading, whole, filters, zone=question.zone, complete=question.complete)
            ),
            found=parts.read(lambda reading: found(reading, question)),
        )


def read_methods(reading: Reading, question: Question) -> Methods:
    """Read the methods; those that are compared without the minutes that only one side knows."""
    whole = methods(reading, question.whole, question.filters)
    both = both_sides(reading, question)
    if both is None:
        return Methods(whole)
    now = whole if both.now == question.whole else methods(reading, both.now, question.filters)
    return Methods(whole, now, methods(reading, both.before, question.filters))
