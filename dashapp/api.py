"""The read API: the figures of the pages as JSON, from the same functions."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp.api_params import BadParameter, choice, filters_of, text_of, whole_number
from dashapp.settings import DashboardSettings
from dashapp.stats.collection import Collection, collection, last_day, quarantine
from dashapp.stats.errors import statuses
from dashapp.stats.summary import summary
from dashapp.stats.tally import Latency
from dashapp.stats.traffic import TrafficBucket, traffic
from dashapp.stats.usage import Endpoint, routes_of, usage
from dashapp.time_range import BadRange, bucket_minutes, complete_through, range_of
from sql.connection import BadPattern, DatabaseUnavailable, TooSlow, snapshot
from sql.live import arrivals
from sql.plan import Range

log = logging.getLogger(__name__)

MOST_ENDPOINTS = 10_000
MOST_ROWS = 1_000
MOST_QUARANTINED, MOST_RAW = 500, 20
NEWEST_ID = 2**63 - 1
MOST_INTERVAL = 31 * 1440
RETRY_AFTER_S = 5
ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def api_blueprint(
    settings: DashboardSettings, engine: sa.Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Blueprint:
    """Return the routes under /api."""
    api = Blueprint("api", __name__, url_prefix="/api")

    def complete() -> datetime:
        return complete_through(now(), settings.settle_seconds)

    def whole() -> Range:
        return range_of(request.args, complete())

    @api.get("/stats/summary")
    def get_summary() -> Response:
        filters, span = filters_of(request.args), whole()
        with snapshot(engine) as connection:
            return _answer(asdict(summary(connection, span, filters, complete())))

    @api.get("/stats/traffic")
    def get_traffic() -> Response:
        filters, span = filters_of(request.args), whole()
        minutes = whole_number(request.args, "interval", bucket_minutes(span), most=MOST_INTERVAL)
        with snapshot(engine) as connection:
            series = traffic(connection, span, filters, minutes=minutes, zone=settings.zone, complete=complete())
        return _answer(
            {
                "interval_minutes": series.interval_minutes,
                "complete_through": complete(),
                "buckets": [_bucket(bucket) for bucket in series.buckets],
            }
        )

    @api.get("/stats/usage")
    def get_usage() -> Response:
        filters, span = filters_of(request.args), whole()
        limit = whole_number(request.args, "limit", MOST_ENDPOINTS, most=MOST_ENDPOINTS)
        by: Literal["route", "path"] = "path" if choice(request.args, "by", ("route", "path")) == "path" else "route"
        with snapshot(engine) as connection:
            used = usage(connection, span, filters, by=by, most=limit)
            routes = routes_of(connection, used, filters, by=by)
        return _answer(
            {
                "total": used.total,
                "truncated": used.found > len(used.endpoints),
                "routes": routes._asdict(),
                "endpoints": [_endpoint(endpoint, by) for endpoint in used.endpoints],
            }
        )

    @api.get("/stats/errors")
    def get_errors() -> Response:
        filters, span = filters_of(request.args), whole()
        minutes = whole_number(request.args, "interval", bucket_minutes(span), most=MOST_INTERVAL)
        with snapshot(engine) as connection:
            codes = statuses(connection, span, filters)
            used = usage(connection, span, filters, most=MOST_ENDPOINTS, failing=True)
            series = traffic(connection, span, filters, minutes=minutes, zone=settings.zone, complete=complete())
        failing = sorted(used.endpoints, key=lambda e: (-e.errors, e.route, e.method))
        return _answer(
            {
                "total": codes.total,
                "classes": codes.classes,
                "statuses": [asdict(status) for status in codes.statuses],
                "truncated": used.found > len(used.endpoints),
                "by_endpoint": [_failing(endpoint) for endpoint in failing],
                "by_bucket": [_error_bucket(bucket) for bucket in series.buckets],
            }
        )

    @api.get("/stats/recent-logs")
    def get_recent_logs() -> Response:
        filters = filters_of(request.args)
        limit = whole_number(request.args, "limit", 50, most=MOST_ROWS)
        try:
            with snapshot(engine) as connection:
                arrived = arrivals(connection, filters, limit=limit, after=request.args.get("after") or None)
        except ValueError as error:
            raise BadParameter(str(error)) from None
        return _answer({"logs": arrived.rows, "skipped": arrived.more, "cursor": arrived.cursor})

    @api.get("/collection/sources")
    def get_sources() -> Response:
        moment = now()
        given = any(request.args.get(name) for name in ("start", "end", "last"))
        span = range_of(request.args, moment) if given else last_day(moment)
        source, service = text_of(request.args, "source"), text_of(request.args, "service")
        with snapshot(engine) as connection:
            return _answer(_collection(collection(connection, span, moment, source=source, service=service)))

    @api.get("/collection/quarantine")
    def get_quarantine() -> Response:
        raw = choice(request.args, "raw", ("0", "1")) == "1"
        most = MOST_RAW if raw else MOST_QUARANTINED
        limit = whole_number(request.args, "limit", min(50, most), most=most)
        before = whole_number(request.args, "before", NEWEST_ID, most=NEWEST_ID)
        kind, source = text_of(request.args, "kind"), text_of(request.args, "source")
        with snapshot(engine) as connection:
            page = quarantine(connection, kind=kind, source=source, before=before, most=limit, with_raw=raw)
        return _answer({"records": [held.as_json() for held in page.records], "next_before": page.next_before})

    # Without it the pages' own router would answer with a page.
    @api.route("/", defaults={"rest": ""}, methods=ANY_METHOD)
    @api.route("/<path:rest>", methods=ANY_METHOD)
    def get_nothing(rest: str) -> tuple[Response, int]:
        return _error(404, "not_found", f"there is no {request.method} /api/{rest[:100]}")

    api.register_error_handler(BadParameter, _bad_request)
    api.register_error_handler(BadRange, _bad_request)
    api.register_error_handler(BadPattern, _bad_request)
    api.register_error_handler(TooSlow, _too_slow)
    api.register_error_handler(DatabaseUnavailable, _database_away)
    api.register_error_handler(Exception, _unforeseen)
    return api


def _answer(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False), mimetype="application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


def _percentiles(latency: Latency) -> dict[str, float | None]:
    return {
        "mean_ms": latency.mean,
        "p50_ms": latency.p50,
        "p90_ms": latency.p90,
        "p95_ms": latency.p95,
        "p99_ms": latency.p99,
        "max_ms": latency.max,
    }


def _bucket(bucket: TrafficBucket) -> dict[str, Any]:
    return {
        "start": bucket.start,
        "total": bucket.total,
        "errors": bucket.errors,
        "classes": bucket.classes,
        **_percentiles(bucket.latency),
    }


def _error_bucket(bucket: TrafficBucket) -> dict[str, Any]:
    known = bucket.total is not None
    return {
        "start": bucket.start,
        "total": bucket.total,
        "errors": bucket.errors,
        "client_errors": bucket.classes.get("4xx", 0) if known else None,
        "server_errors": bucket.classes.get("5xx", 0) if known else None,
    }


def _endpoint(endpoint: Endpoint, by: str) -> dict[str, Any]:
    return {
        "method": endpoint.method,
        by: endpoint.route,
        "count": endpoint.count,
        "share": endpoint.share,
        "errors": endpoint.errors,
        "error_rate": endpoint.error_rate,
        **_percentiles(endpoint.latency),
    }


def _failing(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "method": endpoint.method,
        "route": endpoint.route,
        "count": endpoint.count,
        "errors": endpoint.errors,
        "client_errors": endpoint.client_errors,
        "server_errors": endpoint.server_errors,
        "error_rate": endpoint.error_rate,
    }


def _collection(found: Collection) -> dict[str, Any]:
    return {
        "start": found.span.start,
        "end": found.span.end,
        "totals": asdict(found.totals) | {"refused_requests": found.refused_requests},
        "sources": [{"source": each.source, "service": each.service, **asdict(each.arrived)} for each in found.sources],
        "minutes": [each._asdict() for each in found.minutes],
        "refused": [each._asdict() for each in found.refused],
        "truncated": bool(found.cut),
        "truncated_lists": sorted(found.cut),
    }


def _error(status: int, code: str, message: str) -> tuple[Response, int]:
    return _answer({"error": {"code": code, "message": message}}), status


def _bad_request(error: ValueError) -> tuple[Response, int]:
    return _error(400, "bad_parameter", str(error))


def _too_slow(error: TooSlow) -> tuple[Response, int]:
    return _error(503, "too_slow", str(error))


def _database_away(error: DatabaseUnavailable) -> tuple[Response, int]:
    response, status = _error(503, "database_unavailable", str(error))
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, status


def _unforeseen(error: Exception) -> tuple[Response, int]:
    number = uuid.uuid4().hex[:8]
    log.error("API request %s failed", number, exc_info=error)
    return _error(500, "internal", f"the request failed; its number in the server's log is {number}")
