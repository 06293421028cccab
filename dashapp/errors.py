"""What happens when a callback fails: a log entry with a request id, and one sentence on the page."""

from __future__ import annotations

import logging

from dash import set_props

from dashapp.pattern_words import say_pattern
from dashapp.request_id import current_request_id
from dashapp.site import Site
from sql.connection import BadPattern, DatabaseUnavailable

log = logging.getLogger(__name__)


def report_failure(site: Site, error: Exception) -> None:
    """Log an error and say on the page that something failed; outputs keep what they show."""
    words = site.words()
    if isinstance(error, DatabaseUnavailable):
        log.warning("no figures: %s", error)
        set_props("shell-database", {"children": words("database_away")})
        return
    if isinstance(error, BadPattern):
        log.warning("no figures: %s", error)
        set_props("shell-failure", {"children": say_pattern(str(error), words)})
        return
    request_id = current_request_id()
    log.error("callback failed, request %s", request_id, exc_info=error)
    set_props("shell-failure", {"children": words("failed", request=request_id)})
