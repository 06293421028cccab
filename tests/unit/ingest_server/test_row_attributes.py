"""Texts as PostgreSQL can hold them, and what no column holds: it stays in the attributes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_server.event import MOST_PATH, MOST_TEXT, Refused
from ingest_server.fields import ALIASES
from ingest_server.formats.json_spelling import spelling_of
from tests.reading import LEAST, attributes_of, field_names, json_values, relaxed, row_of, row_or_refusal


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        pytest.param("/a?", "/a", "", id="empty query"),
        pytest.param("/a?b=1?c=2", "/a", "b=1?c=2", id="two question marks"),
        pytest.param("?b=1", "/", "b=1", id="query only"),
        pytest.param("http://h.example:80/a/b?c=1", "/a/b", "c=1", id="absolute form"),
        pytest.param("http://h.example", "/", None, id="absolute form without a path"),
        pytest.param("/go/http://x.org/y", "/go/http://x.org/y", None, id="an address inside a path"),
        pytest.param("/go?to=http://x.org/y", "/go", "to=http://x.org/y", id="an address inside a query"),
        pytest.param("*", "*", None, id="asterisk"),
        pytest.param(" /a ", "/a", None, id="blanks around"),
        pytest.param("/한글/😀", "/한글/😀", None, id="korean and emoji"),
        pytest.param("/" + "a" * (MOST_PATH - 1), "/" + "a" * (MOST_PATH - 1), None, id="the longest"),
    ],
)
def test_row_splits_the_path_from_its_query(target: str, path: str, query: str | None) -> None:
    assert row_of(LEAST | {"path": target}).path == path
    assert attributes_of(LEAST | {"path": target}) == (None if query is None else {"query": query})


def test_row_replaces_what_postgresql_cannot_hold() -> None:
    row = row_of(
        LEAST
        | {"path": "/a\x00b", "user_agent": "x\x00\ud800y", "service": "s\x00", "extra": "n\x00ul", "k\x00": "v\x00"}
    )
    assert row.path == "/a\ufffdb"
    assert row.service == "s\ufffd"
    assert row.user_agent == "x\ufffd?y"
    assert json.loads(row.attributes or "") == {"extra": "n\ufffdul", "k\ufffd": "v\ufffd"}


@pytest.mark.parametrize("text", ["a\\u0000b", "\\\\u0000", "\\", "\\\x00", "\\\\\x00"], ids=ascii)
def test_row_changes_no_backslash_of_an_attribute(text: str) -> None:
    assert attributes_of(LEAST | {"extra": text}) == {"extra": text.replace("\x00", "\ufffd")}


def test_row_drops_the_date_and_the_id_of_the_shipper_only() -> None:
    extra = {"user": "bob", "nested": {"a": [1, 2.5, None, True]}, "big": 2**64 - 1, "empty": "", "emoji": "😀"}
    record = LEAST | {"date": 1.0, "_id": "x"} | extra
    assert attributes_of(record) == extra


def test_row_cuts_long_texts() -> None:
    row = row_of(LEAST | {"user_agent": "a" * (MOST_TEXT + 1), "referer": 5})
    assert row.user_agent == "a" * MOST_TEXT
    assert row.referer == "5"


@pytest.mark.parametrize("field", ["log", "message"])
def test_row_keeps_a_message_beside_complete_fields(field: str) -> None:
    assert attributes_of(LEAST | {field: "hello"}) == {field: "hello"}


@pytest.mark.parametrize(
    "line",
    ["garbage", "", "{not json", "[1,2]", '{"a":1}', '{"a":' * 100_000, 17],
    ids=["text", "empty", "broken", "array", "other", "deep", "number"],
)
def test_row_refuses_a_raw_line_that_is_no_request(line: Any) -> None:
    with pytest.raises(Refused, match="is missing"):
        row_of({"date": 1777630530.0, "log": line})


def test_row_refuses_an_attribute_nested_too_deeply_for_the_database() -> None:
    """The embedded database dies of 900 levels, so a record of that kind must not get there."""
    text = '{"a":' * 900 + "1" + "}" * 900
    row = row_or_refusal(LEAST | {"extra": msgspec.json.decode(text)})
    if isinstance(row, str):
        assert len(row) < 200
    else:
        assert depth(json.loads(row.attributes or "")) <= 500


def depth(value: Any) -> int:
    level, nested = 0, [value]
    while nested:
        level += 1
        nested = [part for each in nested for part in (each.values() if isinstance(each, dict) else ())]
    return level


@relaxed
@given(st.dictionaries(field_names, json_values, max_size=8))
def test_row_of_any_json_object_is_a_row_or_a_refusal(record: dict[str, Any]) -> None:
    for candidate in (record, LEAST | record):
        row = row_or_refusal(candidate)
        if isinstance(row, str):
            assert len(row) < 200
            continue
        assert 100 <= row.status <= 999
        assert row.attributes is None or isinstance(json.loads(row.attributes), dict)
        assert not any("\x00" in text for text in row if isinstance(text, str))
        assert "\\u0000" not in (row.attributes or "").replace("\\\\", "")


@relaxed
@given(st.dictionaries(st.text(max_size=10), json_values, max_size=5))
def test_row_attributes_hold_every_other_field_unchanged(extra: dict[str, Any]) -> None:
    taken = {name for known in ALIASES.values() for name in known} | {"_id", "query"}
    extra = {
        name: value
        for name, value in extra.items()
        if name not in taken and spelling_of(frozenset({name})) is None and "\\u0000" not in json.dumps([name, value])
    }
    assert attributes_of(LEAST | extra) == (extra or None)
