"""The real log of May 2015: what the product says equals what awk (and GoAccess) count."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from tests.e2e.conftest import Stack

RANGE = {"start": "2015-05-17T00:00:00+00:00", "end": "2015-05-21T00:00:00+00:00", "service": "web"}
# Plain text splitting, nothing of ours: the request line is the second quoted part of a line.
BY_STATUS = r"""awk -F'"' '{ split($3, rest, " "); print rest[1] }'"""
BY_METHOD = r"""awk -F'"' '{ split($2, words, " "); print words[1] }'"""
BY_PATH = r"""awk -F'"' '{ split($2, words, " "); sub(/[?].*/, "", words[2]); print words[1] " " words[2] }'"""
# The time is the bracketed part, and every line of this log has it in UTC.
BY_HOUR = r"""awk -F'[][]' '{ print substr($2, 1, 14) }'"""
# No size is written as "-", which counts as 0. awk's integers may end at 2^31, its floats do not.
BYTES = r"""awk -F'"' '{ split($3, rest, " "); bytes += rest[2] } END { printf "%.0f", bytes }'"""
HOURS = 4 * 24  # of RANGE


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


def requests_by_hour(stack: Stack) -> Counter[str]:
    """Every hour of the range, also those without a request, named as the log does."""
    buckets = ask(stack, "traffic", interval="60")["buckets"]
    starts = [datetime.fromisoformat(bucket["start"]).astimezone(UTC) for bucket in buckets]
    assert len(set(starts)) == len(starts) == HOURS
    return Counter(
        {f"{start:%d/%b/%Y:%H}": bucket["total"] or 0 for start, bucket in zip(starts, buckets, strict=True)}
    )


def requests_by_path(stack: Stack, **parameters: str) -> Counter[str]:
    rows = ask(stack, "usage", by="path", **parameters)["endpoints"]
    return Counter({f"{row['method']} {row['path']}": row["count"] for row in rows})


def top(counted: Counter[str], number: int = 20) -> list[tuple[int, str]]:
    """The most frequent, and all that are as frequent as the last of them: a rank may be shared."""
    ranked = sorted(((n, key) for key, n in counted.items()), key=lambda pair: (-pair[0], pair[1]))
    return [pair for pair in ranked if pair[0] >= ranked[number - 1][0]]


def test_api_hours_equal_awk(stack: Stack, real_log: Path) -> None:
    by_hour = count(real_log, BY_HOUR)
    assert len(by_hour) == 84
    ours = requests_by_hour(stack)
    assert ours.keys() >= by_hour.keys()
    assert +ours == by_hour


def test_api_bytes_equal_awk(stack: Stack, real_log: Path) -> None:
    done = subprocess.run(f"{BYTES} '{real_log}'", shell=True, capture_output=True, text=True, check=True)
    assert ask(stack, "summary")["bytes"] == int(done.stdout) > 2**31


def test_api_top_paths_equal_awk(stack: Stack, real_log: Path) -> None:
    by_call = count(real_log, BY_PATH)
    assert len(top(by_call)) == 20
    assert top(requests_by_path(stack, limit="20")) == top(by_call)
    assert top(without_method(requests_by_path(stack))) == top(without_method(by_call))


def without_method(by_call: Counter[str]) -> Counter[str]:
    by_path: Counter[str] = Counter()
    for key, number in by_call.items():
        by_path[key.partition(" ")[2]] += number
    return by_path


# Every line and every item: nobody is left out, whoever it is, and no panel is cut off. Requests are told apart
# by method, as ours are, but not by protocol.
GOACCESS = ["goaccess", "--no-global-config", "--log-format=COMBINED", "--no-progress"]
GOACCESS += ["--date-spec=hr", "--max-items=1000000"]
GOACCESS += ["--no-query-string", "--http-method=yes", "--http-protocol=no"]


@pytest.fixture(scope="module")
def goaccess(real_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What GoAccess says about the log."""
    if shutil.which("goaccess") is None:
        pytest.skip("GoAccess is not installed")
    report = tmp_path_factory.mktemp("goaccess") / "report.json"
    done = subprocess.run([*GOACCESS, str(real_log), "-o", str(report)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # It writes the bytes of a path as they were before they were escaped, in whatever encoding.
    return json.loads(report.read_text(encoding="utf-8", errors="surrogateescape"))


def hits(panel: Any) -> Counter[str]:
    counted: Counter[str] = Counter()
    for item in panel["data"]:
        counted[" ".join(item[name] for name in ("method", "data") if name in item)] += item["hits"]["count"]
    assert counted.total() == panel["metadata"]["hits"]["total"]["value"], "the panel is cut off"
    return counted


def test_api_totals_equal_goaccess(stack: Stack, goaccess: Any) -> None:
    general, summary = goaccess["general"], ask(stack, "summary")
    assert (general["failed_requests"], general["excluded_hits"]) == (0, 0)
    assert (summary["total"], summary["bytes"]) == (general["valid_requests"], general["bandwidth"])
    codes = {
        code["data"][:3]: code["hits"]["count"]
        for status_class in goaccess["status_codes"]["data"]
        for code in status_class["items"]
    }
    assert {str(row["status"]): row["count"] for row in ask(stack, "errors")["statuses"]} == codes


def test_api_hours_equal_goaccess(stack: Stack, goaccess: Any) -> None:
    ours = {
        f"{datetime.strptime(hour, '%d/%b/%Y:%H').replace(tzinfo=UTC):%Y%m%d%H}": number
        for hour, number in (+requests_by_hour(stack)).items()
    }
    # With --date-spec=hr this panel is by date and hour; visit_time adds up the same hour of all days.
    assert ours == hits(goaccess["visitors"])
    by_clock: Counter[str] = Counter()
    for hour, number in ours.items():
        by_clock[hour[-2:]] += number
    assert by_clock == hits(goaccess["visit_time"])


def test_api_paths_equal_goaccess(stack: Stack, goaccess: Any) -> None:
    # It has a panel of its own for static files, and for what was not found; together they are all requests.
    theirs = hits(goaccess["requests"]) + hits(goaccess["static_requests"]) + hits(goaccess["not_found"])
    assert theirs.total() == 10_000
    ours = requests_by_path(stack)
    assert top(ours) == top(theirs)
    # It undoes percent escapes and cuts blanks off; then every path is equal, not only the first twenty.
    unescaped: Counter[str] = Counter()
    for key, number in ours.items():
        unescaped[unquote(key, errors="surrogateescape").strip()] += number
    assert unescaped == theirs


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
