"""The rows of the log, as the document describes them; `dashapp.api_logs` serves them."""

from __future__ import annotations

from dashapp.api.callers import LogRow
from dashapp.api.inputs import FILTERS, WHOLE, Input, Parameter, number
from dashapp.api.model import Model, Moment, Query
from dashapp.api_logs import MOST_ROWS
from dashapp.log_files import ENCODERS


class FoundRows(Model):
    """Rows newest first; `truncated`: time ran out before the page was full, `next_before` leads on."""

    start: Moment
    end: Moment
    complete_through: Moment
    logs: list[LogRow]
    next_before: str | None
    truncated: bool
    query: Query


def _described(name: str, meaning: str, **schema: object) -> Input:
    return Input(name, (Parameter(name, meaning, {"type": "string"} | schema),), lambda *_: None)


def _switch(name: str, meaning: str) -> Input:
    return _described(name, meaning, enum=["0", "1"], default="0")


LOGS = (
    WHOLE,
    FILTERS,
    number("limit", "Most rows.", 100, MOST_ROWS),
    _described("before", "`next_before` of the page before."),
)
EXPORT = (
    WHOLE,
    FILTERS,
    _described("format", "Format of the file.", enum=list(ENCODERS), default=next(iter(ENCODERS))),
    _switch("gzip", "`1` compresses the file."),
    _switch("bom", "`1` begins a CSV with the mark that Excel knows UTF-8 by."),
)
EXPORT_TYPES = (*(encoder.mimetype for encoder in ENCODERS.values()), "application/gzip")
