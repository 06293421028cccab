"""A number for each request: in its answer, in every line of the log about it, and in what a page says of a failure."""

from __future__ import annotations

import re
import secrets

import flask

HEADER = "X-Request-Id"
_GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}")


def current_request_id() -> str:
    """The number of the current request: what a proxy in front gave it, or one of our own."""
    if not flask.has_request_context():
        return secrets.token_hex(4)
    if "request_id" not in flask.g:
        given = flask.request.headers.get(HEADER, "")
        flask.g.request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(4)
    found: str = flask.g.request_id
    return found
