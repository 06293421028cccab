"""The pages of administrators: accounts, tokens of programs, shared views, and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from dashapp.access.door import NAME, field, has_csrf, page
from dashapp.access.gate import Gate
from dashapp.access.identity import current
from dashapp.access.rights import ADMIN, SHAREABLE, SHARED, WELCOME
from dashapp.access.roles import ROLES
from dashapp.access.secret import new_secret
from dashapp.site import Site
from dashapp.view import FILTERS, address, parameters_of
from sql.accounts import AccountStore, LastAdministrator, NameTaken
from sql.audit import read_audit
from sql.shared_views import list_views, revoke_view, share_view
from sql.tokens import list_tokens, make_token, revoke_token, rotate_token

INVITED, GRACE = timedelta(hours=72), timedelta(hours=24)
TOKEN_SCOPES = ("ingest", "read", "analyse")
LASTS_DAYS = (1, 7, 30, 90, 365)
_LINES = 100
# What a form asks for: a key of the catalogue that says what came of it, and a secret to be shown once.
Outcome = tuple[str, str | None]


class Administration:
    """The routes; every change is taken down in the audit trail."""

    def __init__(self, site: Site, gate: Gate) -> None:
        """Change nothing yet."""
        self._site, self._gate = site, gate

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        pages = Blueprint("administration", __name__, template_folder="templates")
        pages.add_url_rule(ADMIN, "show", self._show)
        pages.add_url_rule(f"{ADMIN}/audit", "audit", self._audit)
        changes: dict[str, Callable[..., Outcome]] = {
            "accounts": self._add_account,
            "accounts/<int:account>/link": self._link,
            "accounts/<int:account>/role": self._role,
            "accounts/<int:account>/disable": self._disable,
            "accounts/<int:account>/enable": self._enable,
            "tokens": self._add_token,
            "tokens/<int:token>/rotate": self._rotate,
            "tokens/<int:token>/revoke": self._revoke,
            "views": self._add_view,
            "views/<int:view>/revoke": self._revoke_view,
        }
        for path, change in changes.items():
            pages.add_url_rule(
                f"{ADMIN}/{path}", path.replace("/", "-"), self._changing(change), methods=["POST"]
            )  # fmt: skip
        return pages

    def _show(self) -> Response:
        return self._page(200)

    def _changing(self, change: Callable[..., Outcome]) -> Callable[..., Response]:
        def answer(**ids: int) -> Response:
            if not has_csrf():
                return self._page(403, fault="signin_elsewhere")
            try:
                said, secret = change(**ids)
            except NameTaken:
                return self._page(400, fault="name_taken")
            except LastAdministrator:
                return self._page(400, fault="last_administrator")
            except _Bad as bad:
                return self._page(400, fault=str(bad))
            self._gate.forget()
            return self._page(200, said=said, secret=secret)

        return answer

    def _page(self, status: int, **values: Any) -> Response:
        store = self._store()
        with store.connection() as connection:
            tokens, views = list_tokens(connection), list_views(connection)
        return page(
            self._site, "admin.html", status, accounts=store.accounts(), tokens=tokens, views=views, roles=ROLES,
            scopes=TOKEN_SCOPES, days=LASTS_DAYS, now=self._site.now(), share=request.args.get("share", "/"), **values,
        )  # fmt: skip

    def _audit(self) -> Response:
        before = request.args.get("before", "")
        wanted = int(before) if re.fullmatch(r"\d{1,18}", before) else None
        action = request.args.get("action") or None
        with self._store().connection() as connection:
            lines = read_audit(connection, most=_LINES, before=wanted, action=action and action.replace("\x00", ""))
        return page(self._site, "audit.html", lines=lines, most=_LINES, action=action)

    def _add_account(self) -> Outcome:
        name, role = field("name").strip(), field("role")
        if not re.fullmatch(NAME, name) or role not in ROLES:
            raise _Bad("name_bad")
        account = self._store().add(name, role)
        self._gate.take_down("account_added", name, {"role": role})
        return "account_added", self._invite(account)

    def _link(self, account: int) -> Outcome:
        name = self._name(account)
        secret = self._invite(account)
        self._gate.take_down("link_made", name)
        return "link_made", secret

    def _invite(self, account: int) -> str:
        secret = new_secret()
        self._store().invite(secret.digest, account, INVITED)
        return self._url(f"{WELCOME}/{secret.text}")

    def _role(self, account: int) -> Outcome:
        name, role = self._name(account), field("role")
        if role not in ROLES:
            raise _Bad("name_bad")
        self._store().change(account, role=role)
        self._gate.take_down("role_changed", name, {"role": role})
        return "changed", None

    def _disable(self, account: int) -> Outcome:
        name = self._name(account)
        self._store().change(account, disabled=True)
        self._gate.take_down("account_closed", name)
        return "changed", None

    def _enable(self, account: int) -> Outcome:
        name = self._name(account)
        self._store().change(account, disabled=False)
        self._gate.take_down("account_opened", name)
        return "changed", None

    def _add_token(self) -> Outcome:
        name, scope, days = field("name").strip(), field("scope"), field("days")
        if not name or len(name) > 64 or scope not in TOKEN_SCOPES or (days and not _is_lasting(days)):
            raise _Bad("token_bad")
        secret = new_secret("ab_")
        lasts = timedelta(days=int(days)) if days else None
        with self._store().connection() as connection:
            make_token(connection, name, scope, secret.hint, secret.digest, current().name, lasts)
        self._gate.take_down("token_made", name, {"scope": scope, "hint": secret.hint})
        return "token_made", secret.text

    def _rotate(self, token: int) -> Outcome:
        secret = new_secret("ab_")
        with self._store().connection() as connection:
            if not rotate_token(connection, _id(token), secret.hint, secret.digest, current().name, GRACE):
                raise _Bad("token_gone")
        self._gate.take_down("token_rotated", str(token), {"hint": secret.hint})
        return "token_rotated", secret.text

    def _revoke(self, token: int) -> Outcome:
        with self._store().connection() as connection:
            if not revoke_token(connection, _id(token)):
                raise _Bad("token_gone")
        self._gate.take_down("token_revoked", str(token))
        return "changed", None

    def _add_view(self) -> Outcome:
        name, given, days = field("name").strip(), field("address").strip(), field("days")
        path, _, search = given.partition("?")
        path = re.sub(r"^https?://[^/]+", "", path) or "/"
        if not name or len(name) > 64 or path not in SHAREABLE or not _is_lasting(days):
            raise _Bad("view_bad")
        parameters = parameters_of(search)
        pinned = {each: parameters[each] for each in FILTERS if each in parameters} if field("pin") else {}
        secret, shown = new_secret(), address(path, parameters)
        with self._store().connection() as connection:
            lasts = timedelta(days=int(days))
            share_view(connection, secret.digest, name, shown, pinned, current().name, lasts)
        self._gate.take_down("view_shared", shown, {"name": name, "pinned": pinned, "days": days})
        return "view_shared", self._url(f"{SHARED}/{secret.text}")

    def _revoke_view(self, view: int) -> Outcome:
        with self._store().connection() as connection:
            if not revoke_view(connection, _id(view)):
                raise _Bad("token_gone")
        self._gate.take_down("view_revoked", str(view))
        return "changed", None

    def _store(self) -> AccountStore:
        if self._gate.store is None:
            raise _Bad("signin_elsewhere")
        return self._gate.store

    def _name(self, account: int) -> str:
        found = next((each.name for each in self._store().accounts() if each.id == account), None)
        if found is None:
            raise _Bad("account_gone")
        return found

    def _url(self, path: str) -> str:
        return (self._site.settings.dashboard_url or request.host_url.rstrip("/")) + path


class _Bad(Exception):
    """A form that cannot be meant; the text is a key of the catalogue."""


def _is_lasting(days: str) -> bool:
    return days.isdecimal() and int(days) in LASTS_DAYS


def _id(number: int) -> int:
    return min(number, 2**62)
