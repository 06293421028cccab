"""What the report in words reads: the five analyses of a range, each part of one snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from dashapp.parts import Failed, Parts
from dashapp.stats.apart import Apart, read_apart
from dashapp.stats.bottlenecks import Bottlenecks, bottlenecks
from dashapp.stats.clients import Clients, clients
from dashapp.stats.errors import Statuses, statuses
from dashapp.stats.known_findings import Found
from dashapp.stats.networks import Networks, networks
from dashapp.stats.novelties import Novelties, read_novelties
from dashapp.stats.overview import Question, Totals, found, totals
from dashapp.stats.patterns import Hour, read_hours
from dashapp.stats.traffic import Traffic, traffic
from dashapp.stats.usage import Usage, usage
from dashapp.time_range import bucket_minutes
from sql.connection import Reading

MOST_SLOW = 20
MOST_CLIENTS = 3


@dataclass(frozen=True, slots=True)
class TrafficPart:
    """R1: how many, when, and from how few."""

    totals: Totals
    course: Traffic
    hours: list[Hour]
    clients: Clients


@dataclass(frozen=True, slots=True)
class StatusPart:
    """R3: codes, and the endpoints and hours of errors."""

    codes: Statuses
    used: Usage
    hours: list[Hour]


@dataclass(frozen=True, slots=True)
class BeyondPart:
    """R5: what stands out, and from where requests come."""

    found: Found
    networks: Networks
    hours: list[Hour]
    apart: Apart
    novelties: Novelties


@dataclass(frozen=True, slots=True)
class Analyses:
    """All five."""

    traffic: TrafficPart | Failed
    endpoints: Usage | Failed
    statuses: StatusPart | Failed
    slow: Bottlenecks | Failed
    beyond: BeyondPart | Failed


def read_analyses(engine: sa.Engine, question: Question) -> Analyses:
    """Read them, the same for every size of window."""
    whole, filters = question.whole, question.filters

    def hours(reading: Reading) -> list[Hour]:
        return read_hours(reading, whole, filters, zone=question.zone, complete=question.complete)

    def used(reading: Reading) -> Usage:
        return reading.once("usage", lambda: usage(reading, whole, filters))

    def course(reading: Reading) -> Traffic:
        minutes = bucket_minutes(whole, by_endpoint=bool(filters.method or filters.route))
        return traffic(
            reading, whole, filters, minutes=minutes, zone=question.zone, complete=question.complete, percentiles=False
        )

    with Parts(engine) as parts:
        return Analyses(
            traffic=parts.read(
                lambda reading: TrafficPart(
                    totals(reading, question),
                    course(reading),
                    hours(reading),
                    clients(reading, whole, filters, most=MOST_CLIENTS),
                )
            ),
            endpoints=parts.read(used),
            statuses=parts.read(
                lambda reading: StatusPart(statuses(reading, whole, filters), used(reading), hours(reading))
            ),
            slow=parts.read(lambda reading: bottlenecks(reading, whole, filters, most=MOST_SLOW, zone=question.zone)),
            beyond=parts.read(
                lambda reading: BeyondPart(
                    found(reading, question),
                    networks(reading, whole, filters, most=1),
                    hours(reading),
                    read_apart(reading, whole, filters, hours(reading), zone=question.zone),
                    read_novelties(reading, whole, filters, zone=question.zone, complete=question.complete),
                )
            ),
        )
