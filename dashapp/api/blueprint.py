"""The routes under /api, and what all answers have in common."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp import api_ai, api_alerts, api_logs, api_quarantine, api_upload
from dashapp.ai.desk import AiDesk
from dashapp.alerts.channels import channels_of
from dashapp.alerts.desk import Desk
from dashapp.alerts.saying import style_of
from dashapp.api.inputs import Context, Given
from dashapp.api.model import Answer, ErrorDetail, Failure, Query, Span
from dashapp.api.openapi import document
from dashapp.api.route import Route
from dashapp.api.table import ROUTES
from dashapp.api_params import BadParameter
from dashapp.completeness import Completeness
from dashapp.request_id import current_request_id
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.time_range import BadRange
from sql.ai_history import AiStore
from sql.alerts import AlertStore
from sql.connection import BadPattern, DatabaseUnavailable, Reading, TooSlow, snapshot

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of an answer and what they took, for everybody who asked for them."""

    body: bytes
    timing: str


def api_blueprint(
    settings: DashboardSettings,
    engine: sa.Engine,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    shared: Shared | None = None,
    alerts: AlertStore | None = None,
    ai: AiStore | None = None,
) -> Blueprint:
    """Return the routes under /api.

    `shared` remembers their answers for a moment, `alerts` takes down tests, `ai` analyses.
    """
    api = Blueprint("api", __name__, url_prefix="/api")
    memory = shared if shared is not None else Shared()
    completeness = Completeness(engine, settings.settle_seconds, now, memory)

    def answer(route: Route) -> Response:
        context = Context(settings.zone, settings.ui_language, now(), completeness.through())
        values = values_of(route, request.args, context)
        make = partial(_make, route, engine, context, values)
        made = memory.get((route.path, tuple(values.items())), make) if route.shared else make()
        return Response(made.body, mimetype="application/json", headers={"Server-Timing": made.timing})

    for route in ROUTES:
        api.add_url_rule(route.path, route.path.replace("/", "-"), partial(answer, route))
    api_logs.register(api, engine, completeness)
    api_quarantine.register(api, engine)
    api_upload.register(api, settings)
    desk = Desk(settings, channels_of(settings), style_of(settings), alerts)
    api_alerts.register(api, settings, engine, desk, now)
    api_ai.register(api, engine, AiDesk(settings, engine, ai, now), completeness)

    @api.get("/openapi.json")
    def get_document() -> Response:
        return Response(json.dumps(document(), ensure_ascii=False), mimetype="application/json")

    # Without it the pages' own router would answer with a page.
    @api.route("/", defaults={"rest": ""}, methods=ANY_METHOD)
    @api.route("/<path:rest>", methods=ANY_METHOD)
    def get_nothing(rest: str) -> tuple[Response, int]:
        return _failure(404, "not_found", f"there is no {request.method} /api/{rest[:100]}")

    for wrong in (BadParameter, BadRange):
        api.register_error_handler(wrong, _bad_request)
    api.register_error_handler(BadPattern, _bad_pattern)
    api.register_error_handler(TooSlow, _too_slow)
    api.register_error_handler(DatabaseUnavailable, _database_away)
    api.register_error_handler(Exception, _unforeseen)
    return api


def values_of(route: Route, given: Given, context: Context) -> dict[str, object]:
    """Read everything that a path takes.

    Raises:
        BadParameter: one cannot be meant.
        BadRange: start, end or last cannot.
    """
    return {each.name: each.read(given, context) for each in route.inputs}


def _make(route: Route, engine: sa.Engine, context: Context, values: dict[str, object]) -> Made:
    started = time.perf_counter()
    with snapshot(engine) as reading:
        answer: Answer = route.make(reading, context, **values)
    cost = _cost(reading)
    body = answer.model_copy(update={"complete_through": context.complete, "query": cost}).model_dump_json().encode()
    took = 1000 * (time.perf_counter() - started)
    return Made(body, f'db;dur={cost.ms};desc="{cost.statements} statements", all;dur={took:.1f}')


def _cost(reading: Reading) -> Query:
    lost = sorted(reading.lost, key=lambda span: (span.start, span.end))
    return Query(
        ms=round(reading.seconds * 1000, 1),
        rows_read=reading.rows_read,
        statements=reading.statements,
        not_kept=tuple(Span(start=span.start, end=span.end) for span in lost),
    )


def _failure(status: int, code: str, message: str) -> tuple[Response, int]:
    body = Failure(error=ErrorDetail(code=code, message=message)).model_dump_json()
    return Response(body, mimetype="application/json"), status


def _bad_request(error: ValueError) -> tuple[Response, int]:
    return _failure(400, "bad_parameter", str(error))


def _bad_pattern(error: BadPattern) -> tuple[Response, int]:
    return _failure(400, "bad_parameter", f"regex: {error}")


def _too_slow(error: TooSlow) -> tuple[Response, int]:
    # Asked again it would take as long: no word of a retry.
    return _failure(503, "too_slow", str(error))


def _database_away(error: DatabaseUnavailable) -> tuple[Response, int]:
    response, status = _failure(503, "database_unavailable", str(error))
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, status


def _unforeseen(error: Exception) -> tuple[Response, int]:
    number = current_request_id()
    log.error("API request %s failed", number, exc_info=error)
    return _failure(500, "internal", f"the request failed; its number in the server's log is {number}")
