"""The embedded server: one session shared by several clients, who must not notice."""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sql.batch import Batch, LogRow
from sql.connection import DatabaseUnavailable, connect, is_embedded
from sql.migrate import migrate
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN

pytestmark = pytest.mark.skipif(bool(NATIVE_DSN), reason="these are about the embedded server")

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(autouse=True)
def _still_alive_afterwards(dsn: str) -> Iterator[None]:
    yield
    with connect(dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.fixture
def table(connection: Connection, service: str) -> Iterator[str]:
    name = service.replace("-", "_")
    connection.execute(f"create table {name} (id int primary key, words text)".encode())
    yield name
    connection.execute(f"drop table {name}".encode())


def in_thread(work: Callable[[], Any]) -> queue.Queue[Any]:
    """Run in a thread; the queue gets the result, or the exception."""
    result: queue.Queue[Any] = queue.Queue()

    def run() -> None:
        try:
            result.put(work())
        except Exception as error:
            result.put(error)

    threading.Thread(target=run, daemon=True).start()
    return result


def test_embedded_server_says_what_it_is(connection: Connection) -> None:
    assert is_embedded(connection)
    assert connection.execute("show timezone").fetchone() == ("UTC",)
    assert connection.execute("show search_path").fetchone() == ("public",)


def test_embedded_server_gives_eight_clients_their_own_answers(dsn: str) -> None:
    start = threading.Barrier(8)

    def work(client: int) -> list[tuple[object, ...] | None]:
        with connect(dsn) as own:
            start.wait()
            return [
                own.execute("select %s::int, repeat(%s, 20)", (client * 1000 + i, f"<{client}/{i}>")).fetchone()
                for i in range(60)
            ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    assert answers == [[(c * 1000 + i, f"<{c}/{i}>" * 20) for i in range(60)] for c in range(8)]


def test_embedded_server_counts_right_under_concurrent_transactions(dsn: str, table: str) -> None:
    with connect(dsn) as connection:
        connection.execute(f"insert into {table} values (1, '0')".encode())

    def work(_client: int) -> None:
        with connect(dsn) as own:
            for _ in range(10):
                with own.transaction():
                    row = own.execute(f"select words::int from {table} where id = 1".encode()).fetchone()
                    assert row is not None
                    own.execute(f"update {table} set words = %s where id = 1".encode(), (str(int(str(row[0])) + 1),))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with connect(dsn) as connection:
        assert connection.execute(f"select words from {table}".encode()).fetchone() == ("60",)


def test_embedded_server_lets_others_wait_while_a_transaction_is_open(dsn: str, table: str) -> None:
    def look() -> tuple[object, ...] | None:
        with connect(dsn) as other:
            return other.execute(f"select count(*) from {table}".encode()).fetchone()

    with connect(dsn) as holder:
        with holder.transaction():
            holder.execute(f"insert into {table} values (1, 'a')".encode())
            waiting = in_thread(look)
            with pytest.raises(queue.Empty):
                waiting.get(timeout=0.5)
            holder.execute(f"insert into {table} values (2, 'b')".encode())
        assert waiting.get(timeout=30) == (2,)


def test_embedded_server_rolls_back_who_vanishes_inside_a_transaction(dsn: str, table: str) -> None:
    vanishing = connect(dsn)
    vanishing.autocommit = False
    vanishing.execute(f"insert into {table} values (1, 'lost')".encode())
    waiting = in_thread(lambda: rows_by_another(dsn, table))
    with socket.socket(fileno=vanishing.fileno()) as raw:
        # Close at once with a reset, as a killed process does.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert waiting.get(timeout=30) == []


def rows_by_another(dsn: str, table: str) -> list[tuple[object, ...]]:
    with connect(dsn) as other:
        return other.execute(f"select * from {table}".encode()).fetchall()


def test_embedded_server_serves_on_when_many_vanish_while_they_wait(dsn: str, table: str) -> None:
    with connect(dsn) as holder:
        with holder.transaction():
            holder.execute(f"insert into {table} values (1, 'kept')".encode())
            waiting = [raw_client(dsn) for _ in range(5)]
            for client in waiting:
                client.sendall(simple_query(f"begin; insert into {table} values (2, 'never committed')"))
            for client in waiting:
                client.close()
        assert rows_by_another(dsn, table) == [(1, "kept")]


def raw_client(dsn: str) -> socket.socket:
    """A client after its start-up, spoken to in bytes."""
    parts = conninfo_to_dict(dsn)
    client = socket.create_connection((str(parts["host"]), int(str(parts["port"]))), timeout=30)
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    client.sendall(struct.pack("!i", len(body) + 4) + body)
    assert client.recv(9) == b"R" + struct.pack("!ii", 8, 3)
    password = str(parts["password"]).encode() + b"\0"
    client.sendall(b"p" + struct.pack("!i", len(password) + 4) + password)
    answer = b""
    while not answer.endswith(b"Z" + struct.pack("!i", 5) + b"I"):
        answer += client.recv(4096)
    return client


def simple_query(text: str) -> bytes:
    body = text.encode() + b"\0"
    return b"Q" + struct.pack("!i", len(body) + 4) + body


@pytest.mark.parametrize(
    "statement",
    ["copy {} from stdin", "COPY {} (id, words)\n FROM  STDIN (FORMAT binary)", "/* x */ copy public.{} from stdin"],
)
def test_embedded_server_refuses_copy_from_stdin_and_lives(
    dsn: str, connection: Connection, table: str, statement: str
) -> None:
    with (
        pytest.raises(psycopg.errors.FeatureNotSupported, match="takes no COPY FROM STDIN"),
        connection.cursor().copy(statement.format(table).encode()) as copy,
    ):
        copy.write(b"1\ta\n")
    assert connection.execute(f"select count(*) from {table}".encode()).fetchone() == (0,)
    assert rows_by_another(dsn, table) == []


def test_embedded_server_refuses_copy_inside_a_transaction_of_its_own_only(
    dsn: str, connection: Connection, table: str
) -> None:
    connection.execute(f"insert into {table} values (1, 'before')".encode())
    connection.autocommit = False
    connection.execute(f"insert into {table} values (2, 'rolled back')".encode())
    with (
        pytest.raises(psycopg.errors.FeatureNotSupported),
        connection.cursor().copy(f"copy {table} from stdin".encode()) as copy,
    ):
        copy.write(b"3\tc\n")
    connection.rollback()
    connection.autocommit = True
    assert rows_by_another(dsn, table) == [(1, "before")]


def test_embedded_server_keeps_the_errors_of_clients_apart(dsn: str, table: str) -> None:
    start = threading.Barrier(6)

    def work(client: int) -> list[object]:
        said: list[object] = []
        with connect(dsn) as own:
            start.wait()
            for i in range(20):
                try:
                    if client % 2:
                        own.execute("select 1 / (%s::int - %s::int)", (i, i))
                    else:
                        said.append(own.execute("select %s::int", (i,)).fetchone())
                except psycopg.Error as error:
                    said.append(type(error))
        return said

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(work, range(6)))
    for client, said in enumerate(answers):
        assert said == ([psycopg.errors.DivisionByZero] * 20 if client % 2 else [(i,) for i in range(20)])


def test_embedded_server_keeps_a_failed_transaction_with_its_client(dsn: str, table: str) -> None:
    failed = connect(dsn)
    failed.autocommit = False
    with pytest.raises(psycopg.errors.UndefinedTable):
        failed.execute("select * from nowhere")
    waiting = in_thread(lambda: rows_by_another(dsn, table))
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        failed.execute("select 1")
    failed.rollback()
    assert waiting.get(timeout=30) == []
    failed.close()


def test_embedded_server_takes_and_gives_a_message_of_five_megabytes(connection: Connection, table: str) -> None:
    words = "가나다라😀" * 400_000
    assert len(words.encode()) > 5_000_000
    connection.execute(f"insert into {table} values (1, %s)".encode(), (words,))
    assert connection.execute(f"select words from {table}".encode()).fetchone() == (words,)


@pytest.mark.parametrize("password", ["postgres", "x", ""], ids=["usual", "wrong", "empty"])
def test_embedded_server_refuses_a_wrong_password(dsn: str, password: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        connect(make_conninfo(dsn, password=password))
    assert "password" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(conninfo_to_dict(dsn)["password"]) not in str(caught.value)


def test_embedded_server_runs_nothing_before_the_password(dsn: str, table: str) -> None:
    parts = conninfo_to_dict(dsn)
    with socket.create_connection((str(parts["host"]), int(str(parts["port"]))), timeout=30) as client:
        body = struct.pack("!i", 196608) + b"user\0postgres\0\0"
        client.sendall(struct.pack("!i", len(body) + 4) + body)
        client.sendall(simple_query(f"insert into {table} values (1, 'unasked')"))
        answer = b""
        while part := client.recv(4096):
            answer += part
    assert b"28P01" in answer
    assert rows_by_another(dsn, table) == []


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"\xff" * 64, b"\x16\x03\x01"], ids=repr)
def test_embedded_server_survives_what_is_no_client(dsn: str, junk: bytes) -> None:
    parts = conninfo_to_dict(dsn)
    with socket.create_connection((str(parts["host"]), int(str(parts["port"]))), timeout=30) as client:
        client.sendall(junk)


def test_embedded_server_listens_on_this_machine_only(dsn: str) -> None:
    port = int(str(conninfo_to_dict(dsn)["port"]))
    # ss is not everywhere; the kernel's own list of listening sockets is.
    with open("/proc/net/tcp", encoding="ascii") as lines:  # noqa: PTH123
        listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_embedded_server_stores_and_migrates_beside_readers(dsn: str, writer: LogWriter, make_row: Any) -> None:
    rows: list[LogRow] = [make_row() for _ in range(3_000)]
    stop = threading.Event()

    def read() -> int:
        looks = 0
        with connect(dsn) as own:
            while not stop.is_set():
                assert own.execute("select count(*) from ingest_batch").fetchone() is not None
                looks += 1
        return looks

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for _ in range(5):
            assert writer.store(Batch("test", rows[0].service, rows, [])).stored == 3_000
            assert migrate(dsn) == []
        stop.set()
        assert all(reader.result(timeout=30) > 0 for reader in readers)
