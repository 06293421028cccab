"""Importing log files: every line is stored, quarantined or known already, and never lost."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from ingest_server.file_piece import LINES_A_PIECE
from ingest_server.import_file import ImportFailed, import_file
from ingest_server.intake import Intake
from sql.batch import Receipt
from sql.writing import LogWriter

Connection = psycopg.Connection[tuple[object, ...]]
Count = Callable[[str], int]

COMBINED = '1.2.3.4 - - [02/Jun/2024:10:15:30 +0000] "GET /item/{} HTTP/1.1" 200 1 "-" "curl"\n'
JSON_LINE = '{{"timestamp":"2024-06-02T10:15:30Z","method":"GET","path":"/item/{}","status":200}}\n'
REAL_LOG = Path(__file__).parents[3] / "shared" / "data" / "apache_access.log"


def lines_of(number: int, first: int = 0) -> bytes:
    return "".join(COMBINED.format(i) for i in range(first, first + number)).encode()


def stored_paths(connection: Connection, service: str) -> list[object]:
    rows = connection.execute(
        "select path from access_log where service = %s order by length(path), path", (service,)
    ).fetchall()
    return [row[0] for row in rows]


def items(number: int) -> list[object]:
    return [f"/item/{i}" for i in range(number)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def test_import_file_stores_a_plain_file(
    writer: LogWriter, intake: Intake, connection: Connection, service: str, log: Path
) -> None:
    log.write_bytes(lines_of(30))
    assert import_file(str(log), service, intake, writer) == Receipt(30, 30, 0, 0)
    assert stored_paths(connection, service) == items(30)
    rows = connection.execute("select distinct source from ingest_batch where service = %s", (service,)).fetchall()
    assert rows == [("import:access.log",)]


@pytest.mark.parametrize("name", ["access.log.gz", "without-an-ending"])
def test_import_file_knows_gzip_by_its_content(
    writer: LogWriter, intake: Intake, connection: Connection, service: str, tmp_path: Path, name: str
) -> None:
    # Two members, as a log that was compressed piece by piece has.
    (tmp_path / name).write_bytes(gzip.compress(lines_of(10)) + gzip.compress(lines_of(10, first=10)))
    assert import_file(str(tmp_path / name), service, intake, writer) == Receipt(20, 20, 0, 0)
    assert stored_paths(connection, service) == items(20)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_import_file_reads_standard_input(
    writer: LogWriter,
    intake: Intake,
    connection: Connection,
    service: str,
    monkeypatch: pytest.MonkeyPatch,
    packed: bool,
) -> None:
    content = gzip.compress(lines_of(10)) if packed else lines_of(10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert import_file("-", service, intake, writer) == Receipt(10, 10, 0, 0)
    assert stored_paths(connection, service) == items(10)
    rows = connection.execute("select distinct source from ingest_batch where service = %s", (service,)).fetchall()
    assert rows == [("import:stdin",)]


def test_import_file_goes_on_over_the_border_of_a_piece(
    writer: LogWriter, intake: Intake, connection: Connection, service: str, log: Path
) -> None:
    number = 2 * LINES_A_PIECE + 1
    content = lines_of(number)
    log.write_bytes(content)
    progress: list[int] = []
    receipt = import_file(str(log), service, intake, writer, on_bytes=progress.append)
    assert receipt == Receipt(number, number, 0, 0)
    assert stored_paths(connection, service) == items(number)
    assert sum(progress) == len(content)
    assert len(progress) == 3


def test_import_file_of_a_file_imported_before_stores_nothing(
    writer: LogWriter, intake: Intake, service: str, log: Path, count: Count
) -> None:
    number = LINES_A_PIECE + 3
    log.write_bytes(lines_of(number) + b"garbage\n")
    assert import_file(str(log), service, intake, writer) == Receipt(number + 1, number, 0, 1)
    assert import_file(str(log), service, intake, writer) == Receipt(number + 1, 0, number + 1, 0)
    # The same content under another name, compressed, is still the same.
    packed = log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert import_file(str(packed), service, intake, writer) == Receipt(number + 1, 0, number + 1, 0)
    assert count("access_log") == number


def test_import_file_for_another_service_is_another_import(
    writer: LogWriter, intake: Intake, service: str, log: Path
) -> None:
    log.write_bytes(lines_of(3))
    assert import_file(str(log), service, intake, writer) == Receipt(3, 3, 0, 0)
    assert import_file(str(log), f"{service}-2", intake, writer) == Receipt(3, 3, 0, 0)


def test_import_file_stores_equal_lines_of_one_file_each(
    writer: LogWriter, intake: Intake, service: str, log: Path
) -> None:
    log.write_bytes(COMBINED.format(1).encode() * (2 * LINES_A_PIECE))
    assert import_file(str(log), service, intake, writer).stored == 2 * LINES_A_PIECE


def test_import_file_quarantines_lines_byte_for_byte(
    writer: LogWriter, intake: Intake, connection: Connection, service: str, log: Path
) -> None:
    bad = [b"garbage \xff\xfe", b'{"broken": nan}', b"\x00"]
    log.write_bytes(lines_of(1) + b"\n".join([b"", *bad, b"   ", b""]) + b"\r\n" + lines_of(1, first=1).rstrip(b"\n"))
    assert import_file(str(log), service, intake, writer) == Receipt(5, 2, 0, 3)
    rows = connection.execute(
        "select record, reason from quarantine join ingest_batch on ingest_batch.id = batch_id "
        "where service = %s order by quarantine.id",
        (service,),
    ).fetchall()
    assert [row[0] for row in rows] == bad
    assert all(row[1] for row in rows)


@pytest.mark.parametrize("content", [b"", b"\n \n\n"], ids=["empty", "empty lines"])
def test_import_file_of_nothing(
    writer: LogWriter, intake: Intake, service: str, log: Path, count: Count, content: bytes
) -> None:
    log.write_bytes(content)
    assert import_file(str(log), service, intake, writer) == Receipt(0, 0, 0, 0)
    assert count("ingest_batch") == 0


@pytest.mark.parametrize(
    ("format_name", "stored"),
    [("auto", 4), ("combined", 1), ("common", 2), ("plain", 1), ("json", 1)],
)
def test_import_file_reads_in_the_format_asked_for(
    writer: LogWriter, intake: Intake, service: str, log: Path, format_name: str, stored: int
) -> None:
    common = COMBINED.format(1).replace(' "-" "curl"', "")
    plain = "2024-06-02T10:15:30Z GET /item/3 200 5ms\n"
    log.write_text(COMBINED.format(0) + common + plain + JSON_LINE.format(4), encoding="utf-8")
    receipt = import_file(str(log), service, intake, writer, format_name=format_name)
    assert receipt == Receipt(4, stored, 0, 4 - stored)


def test_import_file_in_the_wrong_format_can_be_repeated_in_the_right_one(
    writer: LogWriter, intake: Intake, service: str, log: Path
) -> None:
    log.write_bytes(lines_of(3))
    assert import_file(str(log), service, intake, writer, format_name="json") == Receipt(3, 0, 0, 3)
    assert import_file(str(log), service, intake, writer, format_name="combined") == Receipt(3, 3, 0, 0)
    assert import_file(str(log), service, intake, writer, format_name="combined") == Receipt(3, 0, 3, 0)


def test_import_file_of_no_file_is_one_sentence(
    writer: LogWriter, intake: Intake, service: str, tmp_path: Path
) -> None:
    for path in (tmp_path / "nowhere.log", tmp_path):
        with pytest.raises(ImportFailed, match=r"cannot read ") as caught:
            import_file(str(path), service, intake, writer)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def cut_off(content: bytes) -> bytes:
    packed = gzip.compress(content)
    return packed[: len(packed) // 2]


def damaged_inside(content: bytes) -> bytes:
    """A file whose deflate stream breaks in the middle, which is no matter of its checksum."""
    packing = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = packing.compress(content[: len(content) // 2]) + packing.flush(zlib.Z_FULL_FLUSH)
    return packed + b"\xff" * 1000


@pytest.mark.parametrize(("damage", "error"), [(cut_off, EOFError), (damaged_inside, zlib.error)])
@pytest.mark.parametrize("number", [4_000, LINES_A_PIECE + 4_000])
def test_import_file_stores_what_stands_before_the_damage(
    writer: LogWriter,
    intake: Intake,
    connection: Connection,
    service: str,
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
    error: type[Exception],
    number: int,
) -> None:
    packed = damage(lines_of(number))
    with pytest.raises(error):
        gzip.decompress(packed)
    path = tmp_path / "damaged.gz"
    path.write_bytes(packed)
    with pytest.raises(ImportFailed, match=r"damaged\.gz is damaged: .*; what came before is stored") as caught:
        import_file(str(path), service, intake, writer)
    assert "\n" not in str(caught.value)
    stored = stored_paths(connection, service)
    assert stored[: number // 4] == items(number // 4)


@pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log lies outside of the repository")
def test_import_file_of_the_real_log_loses_no_line(
    writer: LogWriter, intake: Intake, connection: Connection, service: str
) -> None:
    assert import_file(str(REAL_LOG), service, intake, writer) == Receipt(10_000, 10_000, 0, 0)
    row = connection.execute(
        "select count(*), sum(bytes)::bigint, count(*) filter (where status >= 400), count(distinct client_ip) "
        "from access_log where service = %s",
        (service,),
    ).fetchone()
    lines = REAL_LOG.read_text(encoding="utf-8").splitlines()
    tails = [line.split('" ')[1].split()[:2] for line in lines]
    assert row == (
        10_000,
        sum(int(size) for _, size in tails if size != "-"),
        sum(int(status) >= 400 for status, _ in tails),
        len({line.split()[0] for line in lines}),
    )


def test_import_file_of_a_grown_log_adds_the_new_lines_only(
    writer: LogWriter, intake: Intake, connection: Connection, service: str, tmp_path: Path
) -> None:
    path = tmp_path / "grown.log"
    received: list[tuple[int, int]] = []
    for number in (10, 11, 300, LINES_A_PIECE + 7, LINES_A_PIECE + 7, LINES_A_PIECE + 20):
        path.write_bytes(lines_of(number))
        receipt = import_file(str(path), service, intake, writer)
        received.append((receipt.stored, receipt.duplicate))
    sizes = [0, 10, 11, 300, LINES_A_PIECE + 7, LINES_A_PIECE + 7, LINES_A_PIECE + 20]
    assert received == [(after - before, before) for before, after in pairwise(sizes)]
    assert stored_paths(connection, service) == items(sizes[-1])
