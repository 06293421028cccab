"""The pages. Each module has PATH, layout(site, words) and register(app, site), and nothing on import."""

from __future__ import annotations

from dashapp.pages import ai, collection, endpoints, overview, patterns, realtime

PAGES = (overview, patterns, endpoints, realtime, ai, collection)
