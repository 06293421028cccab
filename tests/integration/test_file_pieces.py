"""A file that comes over HTTP in pieces is the file that the command line imports."""

from __future__ import annotations

from pathlib import Path

import psycopg

from ingest_server.file_piece import LINES_A_PIECE
from ingest_server.import_file import import_file
from ingest_server.intake import Intake
from sql.batch import Receipt
from sql.writing import LogWriter
from tests.ingest_server import Answer, Client, receipt_of

LINE = '1.2.3.4 - - [01/May/2024:10:15:30 +0000] "GET /page HTTP/1.1" 200 %d "-" "curl"\n'
NUMBER = LINES_A_PIECE + 3


def lines_of(number: int) -> list[bytes]:
    return [(LINE % n).encode() for n in range(number)]


def post(server: Client, body: bytes, service: str, offset: str, name: str = "access.log") -> Answer:
    headers = {"X-File-Offset": offset, "X-File-Name": name}
    answer = server.post(f"/log/ingest?service={service}", body, headers)
    assert len(answer.body) < 1024
    return answer


def send(server: Client, lines: list[bytes], service: str, name: str = "access.log") -> Receipt:
    total, offset = Receipt(0, 0, 0, 0), 0
    for start in range(0, len(lines), LINES_A_PIECE):
        body = b"".join(lines[start : start + LINES_A_PIECE])
        answer = post(server, body, service, str(offset), name)
        assert answer.status == 200, answer.body
        total += Receipt(*receipt_of(answer))
        offset += len(body)
    return total


def test_a_file_sent_again_is_all_known_and_one_that_grew_adds_its_new_lines(server: Client, service: str) -> None:
    lines = lines_of(NUMBER + 2)
    assert send(server, lines[:NUMBER], service) == Receipt(NUMBER, NUMBER, 0, 0)
    assert send(server, lines[:NUMBER], service, "renamed.log") == Receipt(NUMBER, 0, NUMBER, 0)
    assert send(server, lines, service) == Receipt(NUMBER + 2, 2, NUMBER, 0)


def test_what_the_command_line_imported_is_known_and_the_other_way_round(
    server: Client, service: str, writer: LogWriter, intake: Intake, tmp_path: Path
) -> None:
    lines, file = lines_of(NUMBER), tmp_path / "access.log"
    file.write_bytes(b"".join(lines))
    assert import_file(str(file), service, intake, writer).stored == NUMBER
    assert send(server, lines, service) == Receipt(NUMBER, 0, NUMBER, 0)
    assert send(server, lines, f"{service}-2").stored == NUMBER
    assert import_file(str(file), f"{service}-2", intake, writer) == Receipt(NUMBER, 0, NUMBER, 0)


def test_the_answer_says_why_and_when_and_the_ledger_who(
    server: Client, service: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    answer = post(server, lines_of(1)[0] + b"garbage\n", service, "0", f"/var/log/{service}.log")
    assert receipt_of(answer) == (2, 1, 0, 1)
    assert answer.json["quarantined_by_kind"] == {"unreadable": 1}
    assert answer.json["first"] == answer.json["last"] == "2024-05-01T10:15:30+00:00"
    row = connection.execute("select distinct source from ingest_ledger where service = %s", (service,)).fetchall()
    assert row == [(f"import:{service}.log",)]


def test_a_place_that_is_no_number_is_400(server: Client, service: str) -> None:
    answer = post(server, lines_of(1)[0], service, "first")
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_offset")


def test_an_empty_piece_is_nothing(server: Client, service: str) -> None:
    assert receipt_of(post(server, b"\n\n", service, "0")) == (0, 0, 0, 0)
