"""Pieces of files: cut as the import cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from ingest_server import file_piece
from ingest_server.file_piece import batches_of_body, piece_receipt, pieces_of
from ingest_server.intake import Intake, Origin
from ingest_server.request import BadPlace, Request
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from sql.batch import Receipt
from sql.writing import LogWriter

LINE = b'1.2.3.4 - - [01/May/2026:10:15:%02d +0000] "GET /b HTTP/1.1" 200 1\n'


class Forgetful:
    """A database that knows no piece."""

    def known(self, _identities: Sequence[bytes]) -> set[bytes]:
        return set()


@pytest.fixture
def intake() -> Intake:
    return Intake(RouteBook(RouteRules.default(), 1000, list))


def test_pieces_hold_every_byte_and_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_piece, "LINES_A_PIECE", 2)
    for body, lines in ((b"", []), (b"a\nb\nc", [2, 1]), (b"a\r\nb\x0b\x85c\n\n", [2, 1]), (b"a\n" * 4, [2, 2])):
        pieces = list(pieces_of(body))
        assert [len(piece) for piece in pieces] == lines
        assert b"".join(line for piece in pieces for line in piece) == body


def test_a_piece_is_known_by_its_place_its_service_and_its_bytes(intake: Intake) -> None:
    writer = cast("LogWriter", Forgetful())

    def mark(offset: int = 0, service: str = "web", body: bytes = LINE % 1, name: str = "a.log") -> bytes | None:
        (batch,) = batches_of_body(body, offset, Origin(f"import:{name}", service), intake, writer)
        return batch.identity

    assert mark() == mark(name="b.log")
    assert len({mark(), mark(offset=1), mark(service="shop"), mark(body=LINE % 2)}) == 4


def test_the_receipt_says_why_and_when(intake: Intake) -> None:
    body = LINE % 7 + b"garbage\n" + LINE % 3 + b"\n"
    batches = batches_of_body(body, 0, Origin("import:a", "web"), intake, cast("LogWriter", Forgetful()))
    piece = piece_receipt(batches, [Receipt(3, 2, 0, 1)])
    assert piece.kinds == {"unreadable": 1}
    assert (piece.first, piece.last) == (
        datetime(2026, 5, 1, 10, 15, 3, tzinfo=UTC),
        datetime(2026, 5, 1, 10, 15, 7, tzinfo=UTC),
    )
    assert piece_receipt(batches, [Receipt(3, 0, 3, 0)]).kinds == {}
    assert piece_receipt([], []).first is None


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        raise AssertionError

    return Request({"headers": pairs, "method": "POST", "path": "/log/ingest"}, receive)


def test_a_place_is_an_offset_and_a_name_without_its_folder() -> None:
    assert request().place is None
    place = request(x_file_offset="17", x_file_name="C%3A%5Clogs%5C%EC%A0%91%EC%86%8D.log").place
    assert place is not None
    assert (place.offset, place.name) == (17, "접속.log")
    unnamed = request(x_file_offset="0").place
    assert unnamed is not None
    assert unnamed.name == "unnamed"


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "٣", "9" * 19])
def test_an_offset_that_is_no_number_is_an_error(offset: str) -> None:
    with pytest.raises((BadPlace, UnicodeEncodeError)):
        _ = request(x_file_offset=offset).place
