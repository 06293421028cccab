"""From when to when a file's records are, told from its ends."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest_server.import_file import ImportFailed
from ingest_server.import_span import PEEKED_BYTES, import_span
from tests.rows import micros, moment

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
FIRST = datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)


def line(at: datetime) -> str:
    return f'83.149.9.216 - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "GET / HTTP/1.1" 200 1 "-" "-"\n'


def span(name: str | Path, format_name: str = "auto") -> list[datetime] | None:
    found = import_span(str(name), format_name, micros(NOW))
    return None if found is None else [moment(us) for us in found]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def test_a_plain_file_tells_both_ends_past_what_cannot_be_read(log: Path) -> None:
    many = "".join(line(FIRST + timedelta(seconds=n)) for n in range(8_000))
    assert len(many) > 2 * PEEKED_BYTES
    log.write_text(f"\ufeff# a comment\n\n{many}{line(NOW + timedelta(days=9))}no log line\n", encoding="utf-8")
    assert span(log) == [FIRST, FIRST + timedelta(seconds=7_999)]


def test_one_record_is_both_ends(log: Path) -> None:
    log.write_text(line(FIRST).rstrip(), encoding="utf-8")
    assert span(log) == [FIRST, FIRST]
    assert span(log, "combined") == [FIRST, FIRST]
    assert span(log, "json") is None


def test_a_compressed_file_tells_its_beginning(log: Path) -> None:
    packed = gzip.compress("".join(line(FIRST + timedelta(seconds=n)) for n in range(50_000)).encode())
    log.write_bytes(packed[: len(packed) // 2])
    assert span(log) == [FIRST, FIRST]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"nothing of a log\n" * 2_000, b"\x1f\x8bbroken"])
def test_a_file_without_records_tells_nothing(log: Path, content: bytes) -> None:
    log.write_bytes(content)
    assert span(log) is None


def test_standard_input_is_looked_at_but_not_consumed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = line(FIRST).encode()
    for content in (text, gzip.compress(text)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        assert span("-") == [FIRST, FIRST]
        assert sys.stdin.buffer.read() == content


def test_a_named_pipe_is_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(line(FIRST).encode(),))
    writing.start()
    assert span(pipe) is None
    assert pipe.read_bytes() == line(FIRST).encode()
    writing.join()


def test_a_file_that_cannot_be_opened_is_said(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_text(line(FIRST), encoding="utf-8")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImportFailed, match="Permission denied"):
        span(log)
