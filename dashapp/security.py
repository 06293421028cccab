"""Headers of every answer: nothing is loaded from elsewhere, nothing frames the page."""

from __future__ import annotations

import flask
from dash import Dash

_POLICY = (
    "default-src 'self'",
    # Dash, Plotly and ag-grid write style elements and attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secure(app: Dash) -> None:
    """Add the security headers to every answer of an app."""
    policy: list[str] = []

    def add_headers(response: flask.Response) -> flask.Response:
        if not policy:
            # Dash adds inline scripts while it sets itself up on the first request, so not earlier.
            hashes = " ".join(f"'{value}'" if not value.startswith("'") else value for value in app.csp_hashes())
            policy.append("; ".join((*_POLICY, f"script-src 'self' {hashes}")))
        response.headers.setdefault("Content-Security-Policy", policy[0])
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.server.after_request(add_headers)
