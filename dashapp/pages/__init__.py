"""The pages. A new one is one more name in PAGES.

Each module has PATH, TAB (its name in the top bar, empty without a tab), layout(site, words) and
register(app, site), and does nothing on import. It may have RANGELESS = True, where a range has no effect,
COMPARES = False, where a comparison has none, PARENT, the path of the page whose tab is current on it, and
EXPLAINS_PATTERNS = True, where it shows nothing while a pattern cannot be read, and says why.
"""

from __future__ import annotations

from dashapp.pages import ai, collection, endpoints, findings, logs, overview, patterns, realtime, report

PAGES = (overview, patterns, endpoints, realtime, logs, ai, collection, report, findings)
