"""The HTML document around the app: its language, its title, and the viewer's choice of language."""

from __future__ import annotations

from typing import Any

import flask
from dash import Dash

from dashapp.site import LANGUAGE_COOKIE, Site
from dashapp.words import LANGUAGES

_A_YEAR_S = 365 * 24 * 3600
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%231e293b'/%3E"
    "%3Cpath d='M3.5 9h2v4h-2zM7 6h2v7H7zM10.5 3h2v10h-2z' fill='%23fff'/%3E%3C/svg%3E"
)
# The theme is set by a script in the head, before the browser paints anything.
_DOCUMENT = """<!DOCTYPE html>
<html lang="{language}">
<head>
{metas}
<title>{title}</title>
<script src="{theme_script}"></script>
<link rel="icon" href="{icon}">
{css}
</head>
<body>
<noscript>{noscript}</noscript>
{app_entry}
<footer class="scripts">
{config}
{scripts}
{renderer}
</footer>
</body>
</html>"""


class Dashboard(Dash):
    """A Dash app whose document is in the viewer's language."""

    site: Site
    theme_script = "00-theme.js"

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """Fill the document for the current request."""
        words = self.site.words(flask.request.query_string.decode("utf-8", "replace"))
        parts |= {"theme_script": self.get_asset_url(self.theme_script), "icon": _ICON}
        parts |= {"language": words.language, "title": words("title"), "noscript": words("needs_script")}
        return _DOCUMENT.format(**parts)


def remember_language(app: Dashboard, paths: frozenset[str]) -> None:
    """Keep the language of an address for later requests; answer 404 where there is no page."""

    def finish_document(response: flask.Response) -> flask.Response:
        if response.mimetype != "text/html" or flask.request.path.startswith("/_dash"):
            return response
        language = flask.request.args.get("lang")
        if language in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=_A_YEAR_S, samesite="Lax", httponly=True)
        rule = flask.request.url_rule
        if rule is not None and rule.rule == "/<path:path>" and response.status_code == 200:
            # Dash answers every address with its document.
            response.status_code = 200 if flask.request.path in paths else 404
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    app.server.after_request(finish_document)
