"""What each address of the dashboard needs. What is not named here needs an administrator. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dashapp.access.roles import Level

SIGN_IN, SIGN_OUT, ACCOUNT, WELCOME, SHARED, ADMIN = "/signin", "/signout", "/account", "/welcome", "/s", "/admin"
CALLBACKS = "/_dash-update-component"
# Pages a link may be shared of: all they show goes through the view of the address, so its filters can be pinned.
SHAREABLE = frozenset({"/", "/patterns", "/endpoints", "/report"})
_PAGES: dict[str, Level] = {
    **dict.fromkeys(SHAREABLE, "guest"),
    "/realtime": "viewer",
    "/logs": "viewer",
    "/findings": "viewer",
    "/collection": "viewer",
    "/health": "viewer",
    "/ai": "analyst",
    ACCOUNT: "viewer",
}
_PUBLIC = frozenset({"/healthz", SIGN_IN, SIGN_OUT, "/_favicon.ico", "/favicon.ico"})
_PUBLIC_FOLDERS = ("/assets/", "/_dash-component-suites/", f"{WELCOME}/", f"{SHARED}/")
_DOCUMENT = frozenset({"/_dash-layout", "/_dash-dependencies", "/_reload-hash"})
_AI = "/api/stats/ai-insights"
_READ: tuple[tuple[str, Level], ...] = (
    ("/api/logs/export", "analyst"),
    ("/api/collection/quarantine", "administrator"),
    ("/api/stats/", "viewer"),
    ("/api/collection/sources", "viewer"),
    ("/api/collection/canary", "viewer"),
    ("/api/logs", "viewer"),
    ("/api/alerts", "viewer"),
    ("/api/storage", "viewer"),
    ("/api/health", "viewer"),
    ("/api/openapi.json", "viewer"),
    ("/metrics", "viewer"),
)
_GUEST_PARTS = ("shell", "overview", "patterns", "endpoints", "report")
_ANALYST_PARTS = ("ai",)
_PART = re.compile(r"[a-z]+")


def needed(method: str, path: str) -> Level:
    """Level that a request needs; that of a callback depends on what it fills: see `needed_by_callback`.

    Args:
        method: GET, POST and so on; HEAD and OPTIONS need what GET does.
        path: without the query string.
    """
    if path in _PUBLIC or path.startswith(_PUBLIC_FOLDERS):
        return "public"
    reads = method in ("GET", "HEAD", "OPTIONS")
    if path in (CALLBACKS, *_DOCUMENT):
        return "guest"
    if path in _PAGES and (reads or path == ACCOUNT):
        return _PAGES[path]
    if path.startswith(f"{_AI}/"):
        return "analyst"
    if reads:
        return next((level for prefix, level in _READ if path == prefix or _within(path, prefix)), "administrator")
    return "administrator"


def _within(path: str, prefix: str) -> bool:
    return path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


def needed_by_callback(output: str) -> Level:
    """Level that a callback needs, by the ids that it fills, as Dash names them: ..ai-head.children...ai-x.data.."""
    parts = set(_parts(output))
    if parts & {*_ANALYST_PARTS}:
        return "analyst"
    return "guest" if parts and parts <= {*_GUEST_PARTS} else "viewer"


def _parts(output: str) -> Iterable[str]:
    for name in output.strip(".").split("..."):
        found = _PART.match(name)
        if found:
            yield found[0]
