"""The search that the scan steps: made with the past as the database has it, and answered from the rows."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa

from dashapp.insight.minute import Requests
from dashapp.scan.course import Watch
from dashapp.scan.past import history_before
from dashapp.scan.reading import read_requests
from sql.connection import Reading
from sql.plan import Range

# By name, so that the scan can be built before the search is.
MODULE = "dashapp.insight.watch"


def is_there() -> bool:
    """Whether this version has a search."""
    return find_spec(MODULE) is not None


def make_watch(engine: sa.Engine, moment: datetime, service: str | None) -> Watch:
    """A watch that begins at a whole hour, with the past as the database has it."""
    watch: Watch = import_module(MODULE).Watch(history_before(engine, moment, service))
    return watch


def answer(reading: Reading, question: Any) -> Requests:
    """Read the single requests of the span that a watch asks for, of endpoints, service or clients if it names any."""
    return read_requests(
        reading,
        Range(question.start, question.end),
        endpoints=tuple(getattr(question, "endpoints", ()) or ()),
        service=getattr(question, "service", None),
        clients=tuple(getattr(question, "clients", ()) or ()),
    )
