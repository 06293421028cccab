"""The values of a field: how they are named, and which parameters of an address filter by them. Pure."""

from __future__ import annotations

from typing import Any

from dashapp.insight.groups import ATTRIBUTE
from dashapp.sentences_findings import client_type_name
from dashapp.stats.change_fields import MOST_CHARACTERS
from dashapp.stats.novelties import Novel
from dashapp.words import Words

# Fields that a parameter of the address filters.
_FILTERS = {
    "service": "service",
    "method": "method",
    "route": "route",
    "status": "status",
    "client_ip": "client_ip",
    "network": "client_ip",
    "path": "text",
}


def filter_of(field: str, value: str | int) -> dict[str, str]:
    """Parameters that show the requests with a value; none where no filter can."""
    name = field.removeprefix(ATTRIBUTE)
    if name != field:
        # A value that was cut is none that a row has.
        return {} if ":" in name or len(str(value)) >= MOST_CHARACTERS else {"attribute": f"{name}:{value}"}
    if field == "product":
        # What browsers are called stands in no agent as it is written here.
        return {"agent": str(value)} if "/" in str(value) else {}
    return {_FILTERS[field]: str(value)} if field in _FILTERS else {}


def field_name(field: str, words: Words) -> str:
    """The name of a field; an attribute has the name that the log gives it."""
    key = f"trait_{field}"
    return words(key) if words.has(key) else field.removeprefix(ATTRIBUTE)


def value_name(field: str, value: Any, words: Words) -> str:
    """A value as it is shown."""
    if field == "hour":
        return f"{value:02d}:00-{(value + 1) % 24:02d}:00"
    return client_type_name(str(value), words) or str(value) if field == "client_type" else str(value)


def novel_name(novel: Novel, words: Words) -> str:
    """What is new or gone, as it is shown."""
    if novel.field == "endpoint":
        return " ".join(novel.value)
    return value_name(novel.field, novel.value[0], words)


def filters_of(novel: Novel) -> dict[str, str]:
    """Parameters that show the requests of what is new or gone; none where no filter can."""
    if novel.field == "endpoint":
        return dict(zip(("method", "route"), novel.value, strict=True))
    return filter_of(novel.field, novel.value[0])
