from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from dash import no_update

from dashapp.pages import collection
from dashapp.parts import Failed
from dashapp.settings import DashboardSettings
from dashapp.site import Site
from dashapp.words import Words
from tests.unit.dashapp_ui.builders import text_of

FAILED = Failed("1a2b3c4d", "failed_away")
WORDS = Words("en")
Show = Callable[..., dict[str, Any]]


def site() -> Site:
    settings = DashboardSettings(_env_file=None)  # type: ignore[call-arg]
    return Site(settings, cast("Any", None), lambda: datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("show", "more", "outputs", "parts"),
    [
        (collection.show_arrivals, (), collection._ARRIVALS, 5),
        (collection.show_quarantine, (None,), collection._QUARANTINE, 2),
        (collection.show_storage, (), collection._STORAGE, 4),
    ],
)
def test_a_reading_that_failed_is_told_in_the_frame_of_each_of_its_parts(
    show: Show, more: tuple[Any, ...], outputs: dict[str, Any], parts: int
) -> None:
    first, kept = (show(FAILED, site(), WORDS, since, *more) for since in (None, "09:00:00"))
    assert first.keys() == kept.keys() == outputs.keys()
    failures = [name for name in first if name.endswith("_failed")]
    assert len(failures) == parts
    for name in failures:
        assert "could not be loaded" in text_of(first[name])
        assert "Request 1a2b3c4d" in text_of(first[name])
        assert "read at 09:00:00" in text_of(kept[name])
        assert first[name.removesuffix("_failed")] is not no_update
        assert kept[name.removesuffix("_failed")] is no_update
    assert first["read_at"] is kept["read_at"] is no_update
