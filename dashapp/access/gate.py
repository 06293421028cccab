"""The gate: finds out who a request comes from, and lets it through or says what is missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import flask
from dash import Dash
from flask import Request, Response

from dashapp.access.callback_body import is_wellformed
from dashapp.access.identity import LOCAL, NOBODY, OPEN, Identity, current, known_as
from dashapp.access.memory import Remembered
from dashapp.access.origin import caller_address, is_foreign, is_within
from dashapp.access.rights import ADMIN, CALLBACKS, SIGN_IN, needed, needed_by_callback
from dashapp.access.roles import ROLES, SCOPES, Level
from dashapp.access.secret import digest_of
from dashapp.access.throttle import Rate, Throttle
from dashapp.settings import DashboardSettings
from dashapp.upload_access import is_local_name, why_not
from sql.accounts import AccountStore, Session
from sql.audit import forget_old, take_down
from sql.connection import DatabaseUnavailable
from sql.shared_views import SharedView, find_view
from sql.tokens import token_scope

log = logging.getLogger(__name__)

SESSION_COOKIE, SHARE_COOKIE = "accessboard-session", "accessboard-share"
LONGEST_SESSION = timedelta(days=30)
_WRONG_TOKENS, _WITHIN_S = 60, 60.0
_A_DAY_S = 86_400.0
# What is taken down of those who were let through, by method and beginning of the path.
_AUDITED: tuple[tuple[str, str, str], ...] = (
    ("GET", "/api/logs/export", "export_rows"),
    ("GET", "/api/stats/ai-insights/history/export", "export_history"),
    ("POST", "/api/stats/ai-insights/analyze", "ai_analysis"),
    ("POST", "/api/stats/ai-insights/ask", "ai_question"),
    ("POST", "/api/stats/ai-insights/test", "ai_test"),
    ("POST", "/api/stats/ai-insights/history", "ai_history"),
    ("GET", "/api/collection/quarantine", "quarantine"),
    ("POST", "/api/collection/upload", "upload"),
    ("POST", "/api/alerts/test", "alert_test"),
    ("GET", "/report", "report"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let through."""

    status: int
    code: str
    message: str
    wait_s: int = 0


class Gate:
    """Knows sessions, tokens and shared views; `store` is None where a dashboard has no accounts."""

    def __init__(self, settings: DashboardSettings, store: AccountStore | None) -> None:
        """Look nothing up yet."""
        self._settings = settings
        self.store = store
        self._sessions: Remembered[Session | None] = Remembered()
        self._tokens: Remembered[tuple[str, str] | None] = Remembered()
        self._views: Remembered[SharedView | None] = Remembered()
        self._any: Remembered[bool] = Remembered()
        self._had_accounts = False
        self._callbacks: Mapping[str, Any] = {}
        self._forgot_at = 0.0
        self._wrong_tokens = Throttle(_WRONG_TOKENS, _WITHIN_S)
        self._rate = Rate(settings.requests_per_minute)

    def install(self, app: Dash) -> None:
        """Stand before every route of an app."""
        self._callbacks = app.callback_map
        app.server.before_request(self._let_through)
        app.server.after_request(self._take_down)

    def forget(self) -> None:
        """Look everybody up anew."""
        for memory in (self._sessions, self._tokens, self._views, self._any):
            memory.forget()

    @property
    def idle(self) -> timedelta:
        """How long a session lasts without a request."""
        return timedelta(hours=self._settings.session_hours)

    def address(self, request: Request) -> str:
        """Address of the client, behind trusted proxies."""
        return caller_address(request.remote_addr or "", request.headers, self._settings.proxies)

    def is_open_here(self, request: Request) -> bool:
        """Whether nobody has to sign in, since nobody has an account, and the client is this machine."""
        settings = self._settings
        if settings.auth != "auto" or not is_local_name(settings.dashboard_bind):
            return False
        return why_not("local", request.remote_addr, request.headers) is None and not self.has_accounts()

    def has_accounts(self) -> bool:
        """Whether somebody can sign in."""
        store = self.store
        if store is None:
            return False
        try:
            self._had_accounts = self._any.get("any", store.any)
        except DatabaseUnavailable:
            # As it was; and who is let in at a first start without a database sees nothing.
            log.warning("nobody can say whether there are accounts")
        return self._had_accounts

    def take_down(
        self, action: str, target: str | None = None, detail: Mapping[str, Any] | None = None, who: str | None = None
    ) -> None:
        """Write a line of the audit trail; a failure is logged, for it must not keep anybody from working."""
        if self.store is None:
            return
        address = self.address(flask.request)
        try:
            with self.store.connection() as connection:
                if time.monotonic() - self._forgot_at > _A_DAY_S or not self._forgot_at:
                    self._forgot_at = time.monotonic()
                    forget_old(connection)
                take_down(connection, who or known_as(current(), address), address, action, target, detail or {})
        except DatabaseUnavailable as error:
            log.warning("not in the audit trail: %s by %s: %s", action, who or current().name, error)

    def _let_through(self) -> Response | None:
        request = flask.request
        level = needed(request.method, request.path)
        try:
            found = self._identify(request)
            refusal = found if isinstance(found, Refusal) else self._refusal(request, found, level)
        except DatabaseUnavailable as error:
            found, refusal = NOBODY, Refusal(503, "database_unavailable", str(error), 5)
        if level == "public":
            flask.g.identity = found if isinstance(found, Identity) else NOBODY
            return None
        if refusal is not None:
            return _refused(request, refusal)
        flask.g.identity = found
        return None

    def _identify(self, request: Request) -> Identity | Refusal:
        token = _token_of(request)
        if token is not None:
            return self._of_token(token, self.address(request))
        if self._settings.auth == "open":
            return OPEN
        found = self._of_proxy(request) if self._settings.auth == "proxy" else self._of_session(request)
        if found is NOBODY:
            found = self._of_share(request)
        if found is NOBODY and self.is_open_here(request):
            return LOCAL
        return found

    def _of_token(self, token: str, address: str) -> Identity | Refusal:
        store, digest = self.store, digest_of(token)
        found = None
        if store is not None:

            def look_up() -> tuple[str, str] | None:
                with store.connection() as connection:
                    return token_scope(connection, digest)

            found = self._tokens.get(digest, look_up)
        if found is None or found[1] not in SCOPES:
            # No token can be guessed; but who has none that is right shall not keep the database busy.
            if wait := self._wrong_tokens.wait_s(address):
                return Refusal(429, "too_many", "too many wrong tokens from this address", wait)
            self._wrong_tokens.failed(address)
            return Refusal(401, "unauthorized", "this token is unknown, over, or not for reading")
        return Identity("token", found[0], SCOPES[found[1]])

    def _of_proxy(self, request: Request) -> Identity:
        settings = self._settings
        name = request.headers.get(settings.auth_user_header, "").strip()
        if not name or not is_within(request.remote_addr or "", settings.proxies):
            return NOBODY
        given = request.headers.get(settings.auth_role_header, "").strip().lower()
        role = next((role for role in ROLES if role == given), settings.auth_default_role)
        return Identity("proxy", name[:64], role, csrf=digest_of(f"proxy {name}").hex())

    def _of_session(self, request: Request) -> Identity:
        cookie, store = request.cookies.get(SESSION_COOKIE), self.store
        if not cookie or store is None:
            return NOBODY
        digest = digest_of(cookie)
        found = self._sessions.get(digest, lambda: store.session(digest, self.idle, LONGEST_SESSION))
        if found is None:
            return NOBODY
        role: Level = next(role for role in ROLES if role == found.role)
        return Identity("account", found.name, role, csrf=found.csrf, account=found.account_id)

    def _of_share(self, request: Request) -> Identity:
        cookie = request.cookies.get(SHARE_COOKIE)
        found = self.shared_view(cookie) if cookie else None
        if found is None:
            return NOBODY
        return Identity("guest", f"link {found.name}", "guest", pinned=found.pinned)

    def shared_view(self, secret: str) -> SharedView | None:
        """The view of a link; None where it is over."""
        store, digest = self.store, digest_of(secret)
        if store is None:
            return None

        def look_up() -> SharedView | None:
            with store.connection() as connection:
                return find_view(connection, digest)

        return self._views.get(digest, look_up)

    def _refusal(self, request: Request, found: Identity, level: Level) -> Refusal | None:
        if level == "public":
            return None
        if found is NOBODY:
            return Refusal(401, "unauthorized", "sign in, or send a token: Authorization: Bearer ...")
        if found.kind not in ("local", "open") and (wait := self._rate.wait_s(f"{found.kind} {found.name}")):
            return Refusal(429, "too_many", "too many requests within a minute", wait)
        if request.method not in ("GET", "HEAD", "OPTIONS") and found.kind != "token":
            strict = found.kind in ("account", "proxy", "guest")
            if is_foreign(request.headers, strict=strict):
                return Refusal(403, "cross_site", "this is asked for on our own pages only")
        if request.path == CALLBACKS:
            body = request.get_json(silent=True)
            if body is None or not is_wellformed(body, self._callbacks):
                return Refusal(400, "bad_callback", "no page of this dashboard sends such a request")
            level = needed_by_callback(body["output"])
        within_admin = request.path == ADMIN or request.path.startswith(f"{ADMIN}/")
        if not found.may(level) or (within_admin and not found.administers):
            return Refusal(403, "forbidden", f"this needs the role {level}; you are {found.level}")
        return None

    def _take_down(self, response: Response) -> Response:
        request = flask.request
        if request.path.startswith("/api/") or request.path == CALLBACKS:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        if response.status_code < 400 and current().kind not in ("nobody",):
            for method, prefix, action in _AUDITED:
                if request.method == method and request.path.startswith(prefix):
                    self.take_down(action, request.path, {"query": request.query_string.decode("utf-8", "replace")})
                    break
        return response


def _token_of(request: Request) -> str | None:
    key = request.headers.get("X-API-Key")
    scheme, _, value = request.headers.get("Authorization", "").strip().partition(" ")
    return key.strip() if key else value.strip() if scheme.lower() == "bearer" else None


def _refused(request: Request, refusal: Refusal) -> Response:
    """A person is led to the sign-in page; a program is told why."""
    wants_page = request.method == "GET" and not request.path.startswith(("/api/", "/_dash", "/metrics"))
    if wants_page and refusal.status == 401:
        here = request.full_path.rstrip("?")
        response = flask.redirect(f"{SIGN_IN}?to={quote(here, safe='/')}", 303)
    elif wants_page and refusal.status == 403:
        response = flask.redirect(f"{SIGN_IN}?refused=1", 303)
    else:
        body = {"error": {"code": refusal.code, "message": refusal.message}}
        response = flask.jsonify(body)
        response.status_code = refusal.status
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.wait_s:
        response.headers["Retry-After"] = str(refusal.wait_s)
    response.headers["Cache-Control"] = "no-store"
    assert isinstance(response, Response)
    return response
