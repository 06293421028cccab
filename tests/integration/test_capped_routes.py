"""Pages say that routes were summed, where they show such a sum."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from dashapp.pages import endpoints, overview
from dashapp.settings import DashboardSettings
from dashapp.site import Site
from dashapp.stats.endpoint_page import Listed
from dashapp.stats.overview import Endpoints
from dashapp.words import Words
from sql.batch import OTHER_ROUTES, Batch, LogRow
from sql.collection import RouteCount
from sql.writing import LogWriter

MakeRow = Callable[..., LogRow]


@pytest.fixture
def site(engine: sa.Engine) -> Site:
    return Site(DashboardSettings(), engine, lambda: datetime(2024, 5, 2, tzinfo=UTC))


@pytest.mark.parametrize(("other", "by"), [(True, ""), (False, ""), (True, "path")])
def test_pages_know_whether_routes_were_summed(
    site: Site, writer: LogWriter, service: str, make_row: MakeRow, other: bool, by: str
) -> None:
    routes = ["/a", "/b", *([OTHER_ROUTES] if other else [])]
    writer.store(Batch("web", service, [make_row(route=route) for route in routes], []))
    view = site.view(f"?start=2024-05-01T00:00&end=2024-05-02T00:00&service={service}&by={by}")
    table = endpoints.read_page(site, view)
    assert isinstance(table.listed, Listed)
    assert table.listed.routes == RouteCount(2, other and by == "")
    read = overview.read_page(site, view)
    assert isinstance(read.endpoints, Endpoints)
    assert read.endpoints.routes == RouteCount(2, other)
    assert (overview.show(read, view, site, Words("ko"))["routes"] is not None) == other
