"""Who a request comes from, and what he may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import flask

from dashapp.access.roles import Level, reaches

# local: this machine, while nobody has an account. open: everybody, by the setting AUTH=open.
Kind = Literal["nobody", "local", "open", "account", "proxy", "token", "guest"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is.

    Attributes:
        kind: how he is known.
        name: of the account, the token or the shared view.
        level: what he may.
        csrf: what forms of his session must carry.
        account: of whom signed in here.
        pinned: filters of a shared view that stay.
    """

    kind: Kind
    name: str
    level: Level
    csrf: str = ""
    account: int | None = None
    pinned: Mapping[str, str] = field(default_factory=dict)

    def may(self, needed: Level) -> bool:
        """Whether he may do what needs a level."""
        return reaches(self.level, needed)

    @property
    def administers(self) -> bool:
        """Whether he may change accounts and tokens: not everybody of a dashboard that is open to all."""
        return self.kind not in ("open", "guest", "token") and self.may("administrator")


NOBODY = Identity("nobody", "", "public")
LOCAL = Identity("local", "this machine", "administrator")
OPEN = Identity("open", "anybody", "administrator")


def current() -> Identity:
    """Who the current request comes from; this machine where there is no gate, or no request."""
    if not flask.has_request_context():
        return LOCAL
    found: Identity = flask.g.get("identity", LOCAL)
    return found


def known_as(identity: Identity, address: str) -> str:
    """How somebody is written into a history: by name, or by address where he has none."""
    return identity.name if identity.kind in ("account", "proxy", "token", "guest") else address
