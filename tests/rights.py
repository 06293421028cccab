"""Who may do what at which route, and whether somebody was turned away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from dashapp.access.roles import Level

# What each route needs, written down a second time: a route that is new must be added here by somebody who thought.
RIGHTS: dict[str, Level] = {
    "GET /healthz": "public", "GET /_favicon.ico": "public", "GET /assets/<path:filename>": "public",
    "GET /_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": "public",
    "GET /signin": "public", "POST /signin": "public", "POST /signout": "public",
    "GET /welcome/<secret>": "public", "POST /welcome/<secret>": "public", "GET /s/<secret>": "public",
    "GET /_dash-layout": "guest", "GET /_dash-dependencies": "guest", "GET /_reload-hash": "guest",
    "POST /_dash-update-component": "guest", "GET /": "guest",
    "GET /account": "viewer", "POST /account": "viewer",
    "GET /metrics": "viewer", "GET /health": "viewer", "GET /api/health": "viewer",
    "GET /api/alerts": "viewer", "GET /api/collection/sources": "viewer", "GET /api/collection/canary": "viewer",
    "GET /api/logs": "viewer",
    "GET /api/openapi.json": "viewer", "GET /api/storage": "viewer",
    **{f"GET /api/stats/{name}": "viewer" for name in (
        "anomalies", "bottlenecks", "changes", "clients", "endpoint-common", "endpoint-detail", "endpoints", "errors",
        "findings", "methods", "networks", "patterns", "recent-logs", "summary", "traffic", "usage")},
    "GET /api/logs/export": "analyst",
    **{f"POST /api/stats/ai-insights/{name}": "analyst" for name in (
        "analyze", "ask", "cancel", "test", "history/<int:entry>/feedback", "history/<int:entry>/rerun")},
    **{f"GET /api/stats/ai-insights/{name}": "analyst" for name in (
        "history", "history/<int:entry>", "history/export", "latest")},
    "GET /api/collection/quarantine": "administrator", "GET /api/collection/quarantine/record": "administrator",
    "POST /api/collection/upload": "administrator", "POST /api/alerts/test": "administrator",
    "GET /admin": "administrator", "GET /admin/audit": "administrator",
    **{f"POST /admin/{name}": "administrator" for name in (
        "accounts", "accounts/<int:account>/link", "accounts/<int:account>/role", "accounts/<int:account>/disable",
        "accounts/<int:account>/enable", "tokens", "tokens/<int:token>/rotate", "tokens/<int:token>/revoke", "views",
        "views/<int:view>/revoke")},
    "GET /static/<path:filename>": "administrator",
    # Whatever there is no route for.
    "GET /<path:path>": "administrator",
    **{f"{method} /api/": "administrator" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    **{f"{method} /api/<path:rest>": "administrator" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
}  # fmt: skip
PAGES: dict[str, Level] = {
    "/": "guest", "/patterns": "guest", "/endpoints": "guest", "/report": "guest", "/realtime": "viewer",
    "/logs": "viewer", "/findings": "viewer", "/collection": "viewer", "/ai": "analyst",
}  # fmt: skip
WHO: dict[str, Level] = {
    "nobody": "public", "guest": "guest", "viewer": "viewer", "analyst": "analyst", "administrator": "administrator",
    "token read": "viewer", "token analyse": "analyst", "token ingest": "public",
}  # fmt: skip


def addresses(server: Flask) -> Iterator[tuple[str, str, str]]:
    """Every route: its name in RIGHTS, a method, and an address of it."""
    for rule in server.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = re.sub(r"<int:\w+>", "999999", rule.rule)
            path = path.replace("<path:filename>", "10-tokens.css").replace("<secret>", "x" * 43)
            yield f"{method} {rule.rule}", method, re.sub(r"<[^>]+>", "nothing-of-the-kind", path)


BODIES: dict[str, dict[str, Any]] = {"POST": {}}


def is_refused(answer: TestResponse) -> bool:
    """Whether the gate turned somebody away; not what a route says itself of a form or a file."""
    if answer.status_code == 303:
        return "/signin?" in (answer.location or "")
    body = answer.get_json(silent=True)
    return isinstance(body, dict) and body.get("error", {}).get("code") in ("unauthorized", "forbidden", "too_many")
