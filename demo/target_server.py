"""The web service that the container demo observes: it answers slowly, fails now and then and writes a log.

It stands for the gateway in front of the declared services. Of the product it knows nothing: all it does
is write one JSON line a request, which Fluent Bit picks up.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from demo.access_log import access_log
from demo.endpoints import ENDPOINTS, Endpoint
from demo.incidents import Incident, Plan, planted
from demo.orders import Orders, orders_file

LOG_FILE_VARIABLE = "ACCESS_LOG_FILE"
PROXIES_VARIABLE = "TRUSTED_PROXIES"
GATEWAY = "gateway"
# The first planted incident begins a quarter of an hour after the start, the next ones hours later.
LOOKS_AFTER = timedelta(minutes=65)
REPEATS = 1_000
LONGEST_WAIT_S = 5.0
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_APP_VERSION = re.compile(r"ShopApp/(\d+(?:\.\d+)*)")


def create_app(
    log_file: str | None = None, *, plan: Plan | None = None, orders: Orders | None = None, patience: float = 1.0
) -> Flask:
    """Return the application.

    Args:
        log_file: Where the access log goes, with `strftime` directives for a file a day; by default
            ACCESS_LOG_FILE, else standard output.
        plan: Incidents; by default the planted ones, again and again.
        orders: Trouble on command; by default what the file of `python -m demo` says.
        patience: Factor on every simulated response time.
    """
    log_file = log_file or os.environ.get(LOG_FILE_VARIABLE)
    plan = plan or planted(datetime.now(UTC) + LOOKS_AFTER, repeats=REPEATS)
    orders = orders or Orders(orders_file())
    app = Flask(__name__, static_folder=None)
    # The visitors come through one address and name the client's own, as a load balancer does.
    proxies = int(os.environ.get(PROXIES_VARIABLE, "0"))
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    log = access_log(log_file)
    for endpoint in ENDPOINTS:
        rule = _PLACEHOLDER.sub(r"<\1>", endpoint.path.partition("?")[0])
        app.add_url_rule(rule, endpoint.name, _view(endpoint, plan, orders, patience), methods=[endpoint.method])

    @app.get("/healthz")
    def healthz() -> Response:
        g.quiet = True
        return Response("ok", mimetype="text/plain")

    @app.before_request
    def begin() -> None:
        g.began_at, g.began_s = datetime.now(UTC), time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if "quiet" not in g:
            log.info(json.dumps(_entry(response), separators=(",", ":")))
        return response

    return app


def outcome(
    endpoint: Endpoint, incidents: Iterable[Incident], app_version: str | None, at: datetime, chance: random.Random
) -> tuple[int, float]:
    """Return the status of a call and how long it takes in milliseconds. Pure but for `chance`."""
    status = chance.choices(list(endpoint.statuses), list(endpoint.statuses.values()))[0]
    shape = endpoint.latency
    slow = chance.random() < shape.slow_share
    p50_ms, sigma = (shape.slow_p50_ms, shape.slow_sigma) if slow else (shape.p50_ms, shape.sigma)
    latency_ms = chance.lognormvariate(math.log(p50_ms), sigma)
    for incident in incidents:
        if incident.touches(endpoint.name, app_version, at):
            status, latency_ms = incident.strike(status, latency_ms, chance)
    return status, latency_ms


def _view(endpoint: Endpoint, plan: Plan, orders: Orders, patience: float) -> Callable[..., Response]:
    chance = random.Random()  # noqa: S311

    def view(**_ids: str) -> Response:
        g.service = endpoint.service
        incidents = (*plan.incidents, *orders.incidents())
        status, latency_ms = outcome(endpoint, incidents, _app_version(), datetime.now(UTC), chance)
        time.sleep(min(latency_ms / 1000 * patience, LONGEST_WAIT_S))
        if status in (204, 304):
            return Response(status=status)
        if status >= 400:
            return Response(json.dumps({"error": status}), status, mimetype="application/json")
        filler = "." * int(endpoint.bytes_p50 * chance.lognormvariate(0, 0.35))
        return Response(json.dumps({"ok": True, "content": filler}), status, mimetype="application/json")

    return view


def _entry(response: Response) -> dict[str, object]:
    """Return the log line of the current request."""
    query = request.query_string.decode("ascii", "replace")
    entry: dict[str, object] = {
        "time": g.began_at.isoformat(timespec="microseconds"),
        "method": request.method,
        "path": f"{request.path}?{query}" if query else request.path,
        "status": response.status_code,
        "latency_ms": round((time.perf_counter() - g.began_s) * 1000, 1),
        "bytes": response.calculate_content_length() or 0,
        "client_ip": request.remote_addr,
        "user_agent": request.user_agent.string,
        "service": g.get("service", GATEWAY),
    }
    if request.referrer:
        entry["referer"] = request.referrer
    if version := _app_version():
        entry["app_version"] = version
    return entry


def _app_version() -> str | None:
    found = _APP_VERSION.match(request.user_agent.string)
    return found[1] if found else None
