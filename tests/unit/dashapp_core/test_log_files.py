"""Rows of the log as CSV and NDJSON."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from dashapp.log_files import ENCODERS, compressed
from sql.search import COLUMNS

SEOUL = timezone(timedelta(hours=9))


def row(**columns: Any) -> dict[str, Any]:
    usual = dict.fromkeys(COLUMNS) | {"ts": datetime(2025, 5, 1, 9, 0, tzinfo=SEOUL), "path": "/", "status": 200}
    return usual | columns


def csv_of(*rows: dict[str, Any], **options: bool) -> str:
    return b"".join(ENCODERS["csv"].encode([rows], **options)).decode()


def cells(*rows: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(*rows), newline="")))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("column", ["path", "user_agent", "referer", "service", "method", "route"])
def test_csv_is_no_formula(column: str, sign: str) -> None:
    text = f"{sign}cmd|'/C calc'!A1"
    assert cells(row(**{column: text}))[0][column] == f"'{text}"


def test_csv_leaves_other_text_alone() -> None:
    for text in ("/a=b", "/a,b;\"c\"\r\n'd'", "한글 😀", " =1", "'=1", "\u2028"):
        assert cells(row(path=text))[0]["path"] == text


def test_csv_has_a_head_and_an_empty_cell_for_nothing() -> None:
    assert (
        csv_of() == "ts,service,method,path,route,status,latency_ms,bytes,client_ip,user_agent,referer,attributes\r\n"
    )
    assert csv_of(row()).splitlines()[1] == "2025-05-01T00:00:00.000000Z,,,/,,200,,,,,,"


def test_csv_of_numbers() -> None:
    found = cells(row(latency_ms=0.1, bytes=2**60, status=404))[0]
    assert (found["latency_ms"], found["bytes"], found["status"]) == ("0.1", str(2**60), "404")


@pytest.mark.parametrize("value", [{"a": '"\n,'}, {}, [], [1, "=1"], "=1", 1.5, True])
def test_csv_of_attributes_is_json(value: Any) -> None:
    assert json.loads(cells(row(attributes=value))[0]["attributes"]) == value


def test_csv_begins_with_a_mark_where_one_is_asked_for() -> None:
    assert csv_of(marked=True) == "\ufeff" + csv_of()


def test_ndjson_is_a_record_a_line() -> None:
    rows = [row(path="/a\nb\u2028", attributes={"이름": ["😀", None]}), row(user_agent='"', latency_ms=1.5)]
    text = b"".join(ENCODERS["ndjson"].encode([rows[:1], [], rows[1:]])).decode()
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    assert [json.loads(line) for line in lines] == [each | {"ts": "2025-05-01T00:00:00.000000Z"} for each in rows]
    assert "이름" in text


def test_gzip_holds_the_same_and_a_cut_is_seen() -> None:
    pieces = [b"", b"a" * 100_000, b"", "한글".encode()]
    packed = b"".join(compressed(iter(pieces)))
    assert gzip.decompress(packed) == b"".join(pieces)
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(packed[:-4])


def test_files_are_made_page_by_page() -> None:
    taken = []

    def pages() -> Any:
        for number in range(3):
            taken.append(number)
            yield [row(path=f"/{number}")]

    pieces = ENCODERS["csv"].encode(pages())
    next(pieces)
    assert taken == []
    next(pieces)
    assert taken == [0]
