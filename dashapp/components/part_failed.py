"""What stands in the frame of a part of a page that could not be read or made."""

from __future__ import annotations

import logging
import secrets

from dash import html
from dash.development.base_component import Component

from dashapp.components.attributes import data
from dashapp.words import Words
from sql.connection import DatabaseUnavailable

log = logging.getLogger(__name__)


def part_failed(error: Exception, words: Words) -> Component:
    """Why, as far as it is a stranger's business, and a button that tries again; the log has the rest."""
    if isinstance(error, DatabaseUnavailable):
        log.warning("a part of the page could not be read: %s", error)
        text = words("part_failed", why=str(error))
    else:
        request = secrets.token_hex(4)
        log.error("a part of the page failed, request %s", request, exc_info=error)
        text = words("part_failed_number", request=request)
    again = html.Button(words("try_again"), className="button sm", type="button", **data(press="shell-refresh"))
    return html.Div([html.P(text), again], className="part-failed", role="alert")
