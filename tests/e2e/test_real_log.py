"""The real log of May 2015: what the product says equals what awk (and GoAccess) count."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import Stack

RANGE = {"start": "2015-05-17T00:00:00+00:00", "end": "2015-05-21T00:00:00+00:00", "service": "web"}
# Plain text splitting, nothing of ours: the request line is the second quoted part of a line.
BY_STATUS = r"""awk -F'"' '{ split($3, rest, " "); print rest[1] }'"""
BY_METHOD = r"""awk -F'"' '{ split($2, words, " "); print words[1] }'"""
BY_PATH = r"""awk -F'"' '{ split($2, words, " "); sub(/[?].*/, "", words[2]); print words[1] " " words[2] }'"""


def count(log: Path, program: str) -> Counter[str]:
    done = subprocess.run(f"{program} '{log}' | sort | uniq -c", shell=True, capture_output=True, text=True, check=True)
    pairs = (line.strip().partition(" ") for line in done.stdout.splitlines())
    return Counter({key: int(number) for number, _, key in pairs})


def ask(stack: Stack, path: str, **parameters: str) -> Any:
    return stack.get(f"/api/stats/{path}?{urlencode(RANGE | parameters)}")


def test_api_totals_equal_awk(stack: Stack, real_log: Path) -> None:
    by_status = count(real_log, BY_STATUS)
    assert by_status.total() == 10_000
    errors = ask(stack, "errors")
    assert {str(row["status"]): row["count"] for row in errors["statuses"]} == by_status
    assert sum(row["share"] for row in errors["statuses"]) == pytest.approx(1)
    summary = ask(stack, "summary")
    assert summary["total"] == 10_000
    assert summary["errors"] == sum(number for status, number in by_status.items() if status >= "400")
    assert summary["latency_ms"]["mean"] is None
    assert summary["latency_ms"]["p95"] is None


def test_api_methods_and_paths_equal_awk(stack: Stack, real_log: Path) -> None:
    by_path = count(real_log, BY_PATH)
    rows = ask(stack, "usage", by="path")["endpoints"]
    assert {f"{row['method']} {row['path']}": row["count"] for row in rows} == by_path
    methods: Counter[str] = Counter()
    for row in ask(stack, "usage")["endpoints"]:
        methods[row["method"]] += row["count"]
        assert row["mean_ms"] is None
    assert methods == count(real_log, BY_METHOD)


def test_api_buckets_sum_to_the_log_at_every_interval(stack: Stack, real_log: Path) -> None:
    for interval in ("5", "60", "1440"):
        buckets = ask(stack, "traffic", interval=interval)["buckets"]
        assert sum(bucket["total"] or 0 for bucket in buckets) == 10_000


def test_api_equals_goaccess(stack: Stack, real_log: Path) -> None:
    if shutil.which("goaccess") is None:
        pytest.skip("GoAccess is not installed")
    done = subprocess.run(
        ["goaccess", str(real_log), "--log-format=COMBINED", "--no-progress", "--output=csv", "-o", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"GoAccess could not read the log: {done.stderr[:80]}")
    rows = [row for row in csv.reader(io.StringIO(done.stdout)) if len(row) > 5]
    # panel name in the third column, hits in the fourth, the code at the start of the last text column
    codes = Counter[str]()
    for row in rows:
        if row[2] == "status_codes" and row[1]:
            code = next(cell for cell in row[::-1] if cell[:3].isdigit() and " " in cell)[:3]
            codes[code] += int(row[3])
    if not codes:
        pytest.skip("GoAccess wrote no status panel")
    ours = {str(row["status"]): row["count"] for row in ask(stack, "errors")["statuses"]}
    assert codes == ours, json.dumps([codes, ours])


@pytest.mark.browser
def test_page_shows_the_same_totals(stack: Stack, real_log: Path, dash_br: Any) -> None:
    dash_br.server_url = f"{stack.url}/?{urlencode(RANGE)}"
    dash_br.wait_for_text_to_equal("#overview-requests", "10,000", timeout=20)
    shown = dash_br.wait_for_element("#overview-status-rows").text
    for status, number in count(real_log, BY_STATUS).items():
        if status >= "400":
            assert status in shown
            assert f"{number:,}" in shown
    assert dash_br.get_logs() == []


@pytest.mark.browser
def test_endpoint_page_counts_paths(stack: Stack, real_log: Path, dash_br: Any) -> None:
    dash_br.server_url = f"{stack.url}/endpoints?{urlencode(RANGE | {'by': 'path'})}"
    grid = dash_br.wait_for_element("#endpoints-grid")
    path, number = max(
        ((key.split(" ", 1)[1], n) for key, n in count(real_log, BY_PATH).items()), key=lambda pair: pair[1]
    )
    dash_br.wait_for_contains_text("#endpoints-grid", path, timeout=20)
    assert f"{number:,}" in grid.text
    assert dash_br.get_logs() == []
