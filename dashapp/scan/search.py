"""The search that the scan steps: made with the past as the database has it, and answered from the rows."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from dashapp.insight.minute import Requests
from dashapp.insight.questions import Question
from dashapp.insight.watch import Watch
from dashapp.scan.past import history_before
from dashapp.scan.reading import read_requests
from sql.connection import Reading
from sql.plan import Range


def make_watch(engine: sa.Engine, moment: datetime, service: str | None) -> Watch:
    """A watch that begins at a whole hour, with the past as the database has it."""
    return Watch(history_before(engine, moment, service))


def answer(reading: Reading, question: Question) -> Requests:
    """Read the single requests of the span that a watch asks for, of endpoints or a service if it names any."""
    span = Range(question.start, question.end)
    return read_requests(reading, span, endpoints=question.endpoints, service=question.service)
