"""What the pages say to type does what they say; `python -m tests.newcomer FOLDER` does all of it from nothing."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from accessboard.embedded.database import running_dsn
from sql.connection import connect
from tests.conftest import NATIVE_DSN
from tests.e2e.conftest import ROOT, Stack, free_port
from tests.newcomer.blocks import Block, blocks_of
from tests.newcomer.place import Place
from tests.newcomer.walk import INSTALLED, follow_all, gone, untold


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return list(blocks_of(ROOT))


def test_every_block_is_followed_or_has_a_reason_why_not(blocks: list[Block]) -> None:
    assert untold(blocks) == []
    assert gone(blocks) == []


def test_a_block_that_nobody_thought_of_is_told(blocks: list[Block]) -> None:
    assert untold([*blocks, Block("README.md", "New", "rm -r everything")]) == ["README.md # New: rm -r everything"]
    assert "README.md # Try it: make demo" in gone([])


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(NATIVE_DSN), reason="a newcomer has the embedded database")
def test_what_is_typed_does_what_it_says(blocks: list[Block], tmp_path: Path) -> None:
    folder = tmp_path / "accessboard"
    folder.mkdir()
    for name in (".venv", "deploy"):
        (folder / name).symlink_to(ROOT / name)
    ports = (str(free_port()), str(free_port()))
    binds = dict(zip(("INGEST_BIND", "DASHBOARD_BIND"), (f"127.0.0.1:{port}" for port in ports), strict=True))
    outcomes = dict(follow_all(Place(folder, ports=ports, PYTHONPATH=str(ROOT), **binds), blocks, INSTALLED))
    assert {name: wrong for name, wrong in outcomes.items() if wrong} == {}
    assert len(outcomes) == len(INSTALLED)


def test_the_query_that_checks_a_page_gives_its_number(blocks: list[Block], stack: Stack) -> None:
    [block] = [each for each in blocks if each.name.startswith("docs/pages.md # Exact, and how to check it: select")]
    start, end = (datetime.fromisoformat(f"{text}:00") for text in re.findall(r"'([\d-]+ [\d:]+\+\d\d)'", block.text))
    times = [start + timedelta(minutes=7 * i) for i in range(12)]
    records = [
        {"timestamp": at.isoformat(), "method": "GET", "path": "/checked", "status": 200 + i % 3 * 150}
        for i, at in enumerate(times)
    ]
    assert stack.post(json.dumps(records).encode())[1]["received"] == len(times)
    dsn = running_dsn(stack.data_dir) or stack.environment["DATABASE_URL"]
    with connect(dsn) as connection:
        row = connection.execute(block.text.encode()).fetchone()
    asked = urlencode({"start": start.isoformat(), "end": end.isoformat()})
    summary = stack.get(f"/api/stats/summary?{asked}")
    assert row == (summary["total"], summary["errors"])
    assert summary["total"] >= 8
