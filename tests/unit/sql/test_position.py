"""Cursors of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sql.position import Position, position_of
from sql.search import Step

MOMENT = datetime(2025, 5, 1, 10, 15, 30, 123457, tzinfo=UTC)
DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "position",
    [
        Position(MOMENT),
        Position(MOMENT, 10**18 - 1, DIGEST, 3),
        Position(datetime(1970, 1, 1, tzinfo=UTC), 0, DIGEST, 0),
    ],
)
def test_position_survives_an_address(position: Position) -> None:
    assert position_of(str(position)) == position


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "abc",
        "-1",
        "1.2",
        "1.5e3",
        f"1.2.{DIGEST}",
        f"1.2.{DIGEST[:-1]}.1",
        f"1.2.{DIGEST.upper()}.1",
        f"1.{'9' * 19}.{DIGEST}.1",
        f"1.2.{DIGEST}.{'9' * 10}",
        f"1.2.{DIGEST}.1\n",
        "9" * 18,
        "9" * 400,
        "１",
        "1' or true --",
        "2025-05-01T00:00:00Z",
    ],
)
def test_position_of_garbage_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        position_of(cursor)


def test_step_grows_while_it_is_quick_and_shrinks_where_it_is_slow() -> None:
    step = Step()
    assert step.after(0.001).rows > step.rows
    assert step.after(0.001).width > step.width
    assert step.after(0.2) == step
    wide = step.after(0.001).after(0.001)
    assert wide.after(3).rows < wide.rows
    assert wide.after(3).width < wide.width


def test_step_stays_within_bounds() -> None:
    step = Step()
    for _ in range(50):
        step = step.after(0)
    assert step.rows <= 1_000_000
    assert step.width <= timedelta(days=400)
    for _ in range(50):
        step = step.after(60)
    assert step.rows >= 1
    assert step.width >= timedelta(minutes=1)
