"""All paths that answer from one reading."""

from __future__ import annotations

from dashapp.api import anomalies, callers, changes, collecting, commonalities, endpoints, figures, insight, storing
from dashapp.api.route import Route

ROUTES: tuple[Route, ...] = (
    *figures.ROUTES,
    *endpoints.ROUTES,
    *commonalities.ROUTES,
    *changes.ROUTES,
    *callers.ROUTES,
    *anomalies.ROUTES,
    *insight.ROUTES,
    *collecting.ROUTES,
    *storing.ROUTES,
)
