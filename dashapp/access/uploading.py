"""Who may send files and test messages: an administrator, and where nobody signs in whom ALLOW_UPLOAD allows."""

from __future__ import annotations

from flask import Request

from dashapp.access.identity import current
from dashapp.upload_access import Allowed, Why, why_not


def why_no_upload(allowed: Allowed, request: Request) -> Why | None:
    """Why the sender of a request may not; None if he may."""
    me = current()
    if me.kind in ("local", "open"):
        return why_not(allowed, request.remote_addr, request.headers)
    if allowed == "off":
        return "off"
    return None if me.may("administrator") else "role"
