"""The note that some routes are summed as one."""

from __future__ import annotations

import pytest

from dashapp.components.capped_routes import capped_routes
from dashapp.words import Words
from sql.collection import RouteCount
from tests.unit.dashapp_ui.builders import text_of


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_note_names_the_number_the_route_and_the_setting(language: str) -> None:
    text = text_of(capped_routes(RouteCount(1_000, True), Words(language)))
    for part in ("1,000", "{other}", "ROUTE_LIMIT"):
        assert part in text


def test_there_is_no_note_where_every_route_is_kept() -> None:
    assert capped_routes(RouteCount(1_000, False), Words("en")) is None
