"""Signing in and out, one-time links, shared views, and one's own password: pages that need no script."""

from __future__ import annotations

import hmac
import logging
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Response, request
from werkzeug.datastructures import Headers

from dashapp.access import passwords
from dashapp.access.gate import LONGEST_SESSION, SESSION_COOKIE, SHARE_COOKIE, Gate
from dashapp.access.identity import current
from dashapp.access.origin import is_foreign
from dashapp.access.rights import ACCOUNT, SHARED, SIGN_IN, SIGN_OUT, WELCOME
from dashapp.access.secret import digest_of, new_secret
from dashapp.access.throttle import Throttle
from dashapp.site import Site
from sql.accounts import Account, AccountStore
from sql.connection import DatabaseUnavailable

log = logging.getLogger(__name__)

NAME = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}"
FIRST_LINK = timedelta(hours=24)
_MOST_FAILURES, _WITHIN_S = 20, 900.0
_MOST_FORM = 16 * 1024


class Door:
    """The routes; `store` is looked up for each request, for without one nobody can sign in."""

    def __init__(self, site: Site, gate: Gate) -> None:
        """Let nobody in yet."""
        self._site, self._gate = site, gate
        self._throttle = Throttle(_MOST_FAILURES, _WITHIN_S)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        door = Blueprint("door", __name__, template_folder="templates")
        door.add_url_rule(SIGN_IN, "sign_in", self._show_sign_in)
        door.add_url_rule(SIGN_IN, "try_sign_in", self._sign_in, methods=["POST"])
        door.add_url_rule(SIGN_OUT, "sign_out", self._sign_out, methods=["POST"])
        door.add_url_rule(f"{WELCOME}/<secret>", "welcome", self._welcome, methods=["GET", "POST"])
        door.add_url_rule(f"{SHARED}/<secret>", "shared", self._shared)
        door.add_url_rule(ACCOUNT, "account", self._account, methods=["GET", "POST"])
        door.register_error_handler(DatabaseUnavailable, self._database_away)
        return door

    def _show_sign_in(self) -> Response:
        waits_for_first = self._gate.store is not None and not self._gate.has_accounts()
        refused = request.args.get("refused") is not None and current().kind != "nobody"
        return self._page("signin.html", refused=refused, waits_for_first=waits_for_first, to=_target())

    def _sign_in(self) -> Response:
        store, address = self._gate.store, self._gate.address(request)
        if store is None or is_foreign(request.headers, strict=False):
            return self._page("signin.html", 403, fault="signin_elsewhere", to=_target())
        if wait := self._throttle.wait_s(address):
            return self._wait(wait)
        name, password = field("name"), field("password")
        account = store.named(name) if name else None
        if account is not None and (wait := _locked_s(account, self._site)):
            passwords.matches(password, None)  # takes as long as for any other
            return self._wait(wait)
        right = passwords.matches(password, account.password_hash if account else None)
        if account is None or account.disabled_at is not None or not right:
            return self._failed(store, account, name, address)
        if account.password_hash and passwords.is_outdated(account.password_hash):
            store.rehash(account.id, passwords.hashed(password))
        return self._let_in(store, account, _target())

    def _failed(self, store: AccountStore, account: Account | None, name: str, address: str) -> Response:
        self._throttle.failed(address)
        failures = store.failed(account.id) if account is not None else 0
        who = account.name if account else "nobody"
        self._gate.take_down("sign_in_failed", who=who, detail={"name": name[:64], "in_a_row": failures})
        return self._page("signin.html", 401, fault="signin_wrong", to=_target(), name=name[:64])

    def _wait(self, seconds: int) -> Response:
        answer = self._page("signin.html", 429, fault="signin_wait", to=_target(), seconds=seconds)
        answer.headers["Retry-After"] = str(seconds)
        return answer

    def _let_in(self, store: AccountStore, account: Account, to: str) -> Response:
        secret, csrf = new_secret(), new_secret().text
        store.sign_in(account.id, secret.digest, csrf, self._gate.address(request), self._gate.idle)
        self._gate.forget()
        self._gate.take_down("sign_in", who=account.name)
        answer = _to(to)
        _set_cookie(answer, SESSION_COOKIE, secret.text, LONGEST_SESSION, self._site)
        answer.delete_cookie(SHARE_COOKIE)
        return answer

    def _sign_out(self) -> Response:
        identity, cookie = current(), request.cookies.get(SESSION_COOKIE)
        if not has_csrf():
            return self._page("signin.html", 403, fault="signin_elsewhere", to="/")
        if cookie and self._gate.store is not None:
            self._gate.store.sign_out(digest_of(cookie))
            self._gate.forget()
            if identity.kind == "account":
                self._gate.take_down("sign_out", who=identity.name)
        answer = _to(SIGN_IN)
        answer.delete_cookie(SESSION_COOKIE)
        answer.delete_cookie(SHARE_COOKIE)
        return answer

    def _welcome(self, secret: str) -> Response:
        """Choose a password with a one-time link; the first one names the first administrator too."""
        store, digest = self._gate.store, digest_of(secret)
        if store is None:
            return self._page("welcome.html", 404, over=True)
        if wait := self._throttle.wait_s(self._gate.address(request)):
            return self._wait(wait)
        valid, name = store.invited(digest)
        if not valid:
            self._throttle.failed(self._gate.address(request))
            return self._page("welcome.html", 404, over=True)
        if request.method == "GET":
            return self._page("welcome.html", account=name, least=passwords.LEAST)
        chosen = name or field("name")
        fault = _fault_of_choice(chosen)
        if fault is None:
            account = store.accept(digest, passwords.hashed(field("password")), None if name else chosen)
            self._gate.forget()
            if account is None:
                return self._page("welcome.html", 404, over=True)
            self._gate.take_down("password_set" if name else "first_administrator", who=account.name)
            return self._let_in(store, account, "/")
        return self._page("welcome.html", 400, account=name, fault=fault, name=chosen, least=passwords.LEAST)

    def _shared(self, secret: str) -> Response:
        found = self._gate.shared_view(secret)
        if found is None:
            self._throttle.failed(self._gate.address(request))
            return self._page("welcome.html", 404, over=True)
        if current().kind in ("account", "proxy", "local", "open"):
            return _to(found.address)
        answer = _to(found.address)
        _set_cookie(answer, SHARE_COOKIE, secret, found.expires_at - self._site.now(), self._site)
        self._gate.take_down("shared_view", found.address, who=f"link {found.name}")
        return answer

    def _account(self) -> Response:
        """Who I am, and another password."""
        identity, store = current(), self._gate.store
        if request.method == "GET" or identity.account is None or store is None:
            return self._page("account.html", least=passwords.LEAST)
        if not has_csrf():
            return self._page("account.html", 403, fault="signin_elsewhere", least=passwords.LEAST)
        account = store.named(identity.name)
        if account is None or not passwords.matches(field("old"), account.password_hash):
            return self._page("account.html", 400, fault="signin_wrong", least=passwords.LEAST)
        fault = _fault_of_choice(identity.name)
        if fault is not None:
            return self._page("account.html", 400, fault=fault, least=passwords.LEAST)
        store.set_password(account.id, passwords.hashed(field("password")))
        self._gate.forget()
        self._gate.take_down("password_changed", who=account.name)
        return self._let_in(store, account, f"{ACCOUNT}?changed=1")

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        return page(self._site, template, status, **values)

    def _database_away(self, error: DatabaseUnavailable) -> Response:
        log.warning("nobody can sign in: %s", error)
        answer = self._page("signin.html", 503, fault="database_away", to="/")
        answer.headers["Retry-After"] = "5"
        return answer


def page(site: Site, template: str, status: int = 200, **values: Any) -> Response:
    """A page without a script, in the viewer's language."""
    words = site.words(request.query_string.decode("utf-8", "replace"))
    text = flask.render_template(
        template, words=words, me=current(), company=site.settings.company_name, fmt_time=_time_of(site), **values
    )
    answer = Response(text, status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def has_csrf() -> bool:
    """Whether a form comes from a page of ours: it carries what only those know, or a browser says so."""
    expected = current().csrf
    if not expected:
        return not is_foreign(request.headers, strict=True)
    return hmac.compare_digest(field("csrf"), expected) and not is_foreign(request.headers, strict=False)


def _time_of(site: Site) -> Any:
    return lambda moment: moment.astimezone(site.zone).strftime("%Y-%m-%d %H:%M") if moment else "–"


def _fault_of_choice(name: str) -> str | None:
    if not re.fullmatch(NAME, name):
        return "name_bad"
    if field("password") != field("again"):
        return "password_differ"
    fault = passwords.fault_of(field("password"), name)
    return f"password_{fault}" if fault else None


def _locked_s(account: Account, site: Site) -> int:
    if account.locked_until is None:
        return 0
    return (
        max(0, int((account.locked_until - site.now()).total_seconds()) + 1) if account.locked_until > site.now() else 0
    )


def field(name: str) -> str:
    """A field of the form that was sent; empty where there is none."""
    if (request.content_length or 0) > _MOST_FORM:
        return ""
    return request.form.get(name, "")[:1000].replace("\x00", "")


def _target() -> str:
    """Where to go after signing in: an address of our own, or Overview."""
    given = request.values.get("to", "/") if (request.content_length or 0) <= _MOST_FORM else "/"
    parts = urlsplit(given)
    local = given.startswith("/") and not given.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return given if local and all(ord(each) >= 32 for each in given) and not given.startswith(SIGN_IN) else "/"


def _to(address: str) -> Response:
    answer = flask.redirect(address, 303)
    answer.headers["Cache-Control"] = "no-store"
    assert isinstance(answer, Response)
    return answer


def _set_cookie(answer: Response, name: str, value: str, lasts: timedelta, site: Site) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=_is_https(site, request.headers),
    )


def _is_https(site: Site, headers: Headers) -> bool:
    url = site.settings.dashboard_url or ""
    return request.is_secure or url.startswith("https:") or headers.get("X-Forwarded-Proto", "").lower() == "https"
