"""The note that some routes are summed as one."""

from __future__ import annotations

from dash import html

from dashapp import format as fmt
from dashapp.components.card import Children
from dashapp.words import Words
from sql.batch import OTHER_ROUTES
from sql.collection import RouteCount


def capped_routes(routes: RouteCount, words: Words) -> Children:
    """How many routes are kept and where the others are; nothing where all are."""
    if not routes.capped:
        return None
    kept = fmt.count(routes.kept)
    return html.P(words.rich("routes_capped", kept=kept, other=html.Code(OTHER_ROUTES)), className="note left")
