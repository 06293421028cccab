"""The API's own description (OpenAPI 3.1), made from the table of its paths. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from dashapp.api.alerting import AlertsState, TestResults
from dashapp.api.inputs import Input, Parameter
from dashapp.api.model import Failure, Model
from dashapp.api.rows import EXPORT, EXPORT_TYPES, LOGS, FoundRows
from dashapp.api.table import ROUTES

Json = dict[str, Any]
_JSON = "application/json"
_NOTE = (
    "Figures of HTTP access logs. Times are ISO 8601 with an offset, a range is `start <= t < end`, shares and rates "
    "are 0 to 1. Filters are combined with AND. An empty parameter counts as not given, an unknown one is ignored."
)
_FAILURES = {
    "400": "`bad_parameter`: a parameter cannot be meant.",
    "500": "`internal`: a fault; the server's log has its number.",
    "503": "`database_unavailable`: try again after Retry-After. `too_slow`: choose a shorter range.",
}


@cache
def document() -> Json:
    """Everything under /api but what answers that there is nothing."""
    models: list[type[Model]] = [*(route.model for route in ROUTES), FoundRows, AlertsState, TestResults, Failure]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths = {f"/api{route.path}": _operation(route.text, route.inputs, _content(route.model)) for route in ROUTES}
    rows = {media: {"schema": {"type": "string"}} for media in EXPORT_TYPES}
    paths |= {
        "/api/logs": _operation("Search the rows of the log, newest first, page by page", LOGS, _content(FoundRows)),
        "/api/logs/export": _operation("Download all rows that match", EXPORT, rows),
        "/api/alerts": _operation("Channels of messages, and the newest messages", (), _content(AlertsState)),
        "/api/alerts/test": {"post": _test()},
        "/api/openapi.json": _operation("This document", (), {_JSON: {"schema": {"type": "object"}}}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "accessboard read API", "version": "1", "description": _NOTE},
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def parameters_of(inputs: Sequence[Input]) -> dict[str, Parameter]:
    """The parameters of a path by name; one that must be given stays so, whatever else reads it."""
    found: dict[str, Parameter] = {}
    for each in inputs:
        for parameter in each.parameters:
            if parameter.name not in found or parameter.required:
                found[parameter.name] = parameter
    return found


def _operation(text: str, inputs: Sequence[Input], content: Json) -> Json:
    failures = {status: {"description": meaning, "content": _content(Failure)} for status, meaning in _FAILURES.items()}
    return {
        "get": {
            "summary": text,
            "parameters": [_parameter(each) for each in parameters_of(inputs).values()],
            "responses": {"200": {"description": "The answer.", "content": content}, **failures},
        }
    }


def _test() -> Json:
    refusals = {
        "403": "`cross_site`: not asked for by a page of this dashboard. `test_...`: this client may not.",
        "409": "`no_channels`: none are set.",
        "429": "`too_soon`: wait for Retry-After.",
    }
    failures = {status: {"description": text, "content": _content(Failure)} for status, text in refusals.items()}
    answer = {"200": {"description": "What became of it.", "content": _content(TestResults)}}
    return {"summary": "Send a test message to every channel", "responses": answer | failures}


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
        "schema": dict(parameter.schema),
    }


def _content(model: type[Model]) -> Json:
    return {_JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
