"""The `accessboard` command as a person runs it: receipts, exit codes, and sentences instead of traces."""

from __future__ import annotations

import gzip
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accessboard.embedded.database import EmbeddedDatabase
from sql.migrate import load
from tests.conftest import NATIVE_DSN

ROOT = Path(__file__).parents[2]
LINES = "".join(
    f'1.2.3.4 - - [02/Jun/2024:10:15:30 +0000] "GET /cli/{i} HTTP/1.1" 200 1 "-" "curl"\n' for i in range(12)
)
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a person who has set nothing, in a folder without a .env."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def call(*arguments: str, stdin: bytes = b"", **variables: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "accessboard", *arguments],
            env=environment | variables,
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        said = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")
        )
        assert "Traceback" not in said.stderr + said.stdout
        assert 'File "' not in said.stderr + said.stdout
        return said

    return call


def sentence(done: Done) -> str:
    """The one sentence of a command that failed."""
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("accessboard: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("accessboard: ")


def receipt(done: Done) -> list[int]:
    numbers = re.fullmatch(
        r"received ([\d,]+)  stored ([\d,]+)  duplicate ([\d,]+)  quarantined ([\d,]+)\n", done.stdout
    )
    assert numbers is not None, done.stdout + done.stderr
    return [int(number.replace(",", "")) for number in numbers.groups()]


# ---- help and settings ----


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for command in ("up", "ingest-server", "dashboard", "migrate", "import", "doctor"):
        assert re.search(rf"^  {command}\s+\w", done.stdout, re.MULTILINE), command


@pytest.mark.parametrize("command", ["up", "ingest-server", "dashboard", "migrate", "import", "doctor"])
def test_help_explains_each_command(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Usage: accessboard {command}" in done.stdout


def test_version_is_one_line(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


def test_unknown_command_is_a_usage_error(run: Run) -> None:
    assert run("nonsense").returncode == 2


@pytest.mark.parametrize(
    ("command", "url"),
    [
        pytest.param("up", "mysql://u:hunter2@h/db", id="up, mysql"),
        pytest.param("migrate", "postgresql://u:hunter2@h:port/db", id="migrate, port"),
        pytest.param("migrate", "hunter2", id="migrate, word"),
        pytest.param("ingest-server", "postgresql://u:x@y:hunter2@h/db", id="ingest-server, at sign"),
        pytest.param("dashboard", "mysql://u:hunter2@h/db", id="dashboard, mysql"),
    ],
)
def test_wrong_database_url_is_one_sentence_without_its_password(
    run: Run, unused_port: int, command: str, url: str
) -> None:
    bind = f"127.0.0.1:{unused_port}"
    done = run(command, DATABASE_URL=url, INGEST_BIND=bind, DASHBOARD_BIND=bind)
    assert "DATABASE_URL" in sentence(done)
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "variables", "words"),
    [
        ("ingest-server", {"INGEST_BIND": "8000"}, "INGEST_BIND is '8000'; write it as 127.0.0.1:8000"),
        ("dashboard", {"DISPLAY_TIMEZONE": "Asia/Nowhere"}, "DISPLAY_TIMEZONE: 'Asia/Nowhere' is no time zone"),
        ("up", {"SETTLE_SECONDS": "soon"}, "SETTLE_SECONDS: "),
        ("migrate", {"POSTGRES_PORT": "none"}, "POSTGRES_PORT: "),
    ],
)
def test_wrong_setting_is_one_sentence(run: Run, command: str, variables: dict[str, str], words: str) -> None:
    assert words in sentence(run(command, **variables))


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_database_that_is_away_is_one_sentence(run: Run, closed_port_dsn: str, unused_port: int, command: str) -> None:
    binds = dict.fromkeys(("INGEST_BIND", "DASHBOARD_BIND"), f"127.0.0.1:{unused_port}")
    assert "cannot reach the database: " in sentence(run(command, DATABASE_URL=closed_port_dsn, **binds))


@pytest.fixture
def busy_bind() -> Iterator[str]:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield f"127.0.0.1:{busy.getsockname()[1]}"


@pytest.mark.parametrize(("command", "variable"), [("ingest-server", "INGEST_BIND"), ("up", "DASHBOARD_BIND")])
def test_busy_port_is_one_sentence_that_names_the_setting(
    run: Run, busy_bind: str, unused_port: int, command: str, variable: str
) -> None:
    binds = {"INGEST_BIND": f"127.0.0.1:{unused_port}", variable: busy_bind}
    words = sentence(run(command, **binds))
    assert words.startswith(f"cannot listen on {busy_bind} (")
    assert words.endswith(f"stop the program that uses it, or set {variable} to another address")


def test_data_dir_that_cannot_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    words = sentence(run("migrate", DATA_DIR=str(tmp_path / "file" / "data")))
    assert "cannot write to DATA_DIR" in words


# ---- a configured database ----


@pytest.fixture
def run_on_dsn(run: Run, dsn: str) -> Run:
    def call(*arguments: str, stdin: bytes = b"") -> Done:
        return run(*arguments, stdin=stdin, DATABASE_URL=dsn)

    return call


def test_import_prints_a_receipt(run_on_dsn: Run, service: str, tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text(LINES + "garbage\n", encoding="utf-8")
    (tmp_path / "two.gz").write_bytes(gzip.compress(LINES.replace("/cli/", "/other/").encode()))
    done = run_on_dsn("import", "one.log", "two.gz", "--service", service)
    assert done.returncode == 0
    assert receipt(done) == [25, 24, 0, 1]
    again = run_on_dsn("import", "one.log", "two.gz", "--service", service)
    assert again.returncode == 0
    assert receipt(again) == [25, 0, 25, 0]


def test_import_reads_standard_input(run_on_dsn: Run, service: str) -> None:
    done = run_on_dsn("import", "-", "--service", service, stdin=LINES.encode())
    assert (done.returncode, receipt(done)) == (0, [12, 12, 0, 0])


def test_import_goes_on_after_a_file_that_cannot_be_read(run_on_dsn: Run, service: str, tmp_path: Path) -> None:
    (tmp_path / "good.log").write_text(LINES, encoding="utf-8")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LINES.encode())[:-12])
    done = run_on_dsn("import", "nowhere.log", "cut.gz", "good.log", "--service", service)
    assert done.returncode == 1
    assert receipt(done)[0] >= 12
    assert "cannot read nowhere.log" in done.stderr
    assert "cut.gz is damaged" in done.stderr


def test_import_reads_in_the_format_asked_for(run_on_dsn: Run, service: str, tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text(LINES, encoding="utf-8")
    done = run_on_dsn("import", "one.log", "--service", service, "--format", "plain")
    assert receipt(done) == [12, 0, 0, 12]
    done = run_on_dsn("import", "one.log", "--service", service, "--format", "combined")
    assert receipt(done) == [12, 12, 0, 0]


def test_import_refuses_an_unknown_format_and_no_file(run_on_dsn: Run) -> None:
    done = run_on_dsn("import", "x.log", "--format", "nonsense")
    assert done.returncode == 2
    assert "none of auto, json, " in done.stderr.replace("\n", " ")
    assert run_on_dsn("import").returncode == 2


def test_migrate_has_nothing_to_do_the_second_time(run_on_dsn: Run) -> None:
    done = run_on_dsn("migrate")
    assert (done.returncode, done.stdout) == (0, "nothing to do: the database is up to date\n")


def test_doctor_finds_a_migrated_database_fine(run: Run, dsn: str, unused_port: int) -> None:
    bind = f"127.0.0.1:{unused_port}"
    done = run("doctor", DATABASE_URL=dsn, INGEST_BIND=bind, DASHBOARD_BIND=bind)
    assert re.search(rf"^ok     database: {'native' if NATIVE_DSN else 'embedded'}, PostgreSQL 1\d", done.stdout, re.M)
    assert re.search(r"^ok     migrations: up to date", done.stdout, re.MULTILINE)
    # Nobody runs the jobs of the tests' own embedded database, other tests refuse records in it, and doctor says so.
    said = (" lag: ", " job ", " quarantine, ", " refused, ")
    faults = [
        line for line in done.stdout.splitlines() if line.startswith("FAULT") and not any(s in line for s in said)
    ]
    assert faults == []
    assert done.returncode == ("FAULT" in done.stdout)


def test_doctor_names_each_fault(run: Run, busy_bind: str, closed_port_dsn: str) -> None:
    done = run("doctor", DATABASE_URL=closed_port_dsn, INGEST_BIND=busy_bind, DASHBOARD_BIND="nonsense")
    assert done.returncode == 1
    faults = [line.split(": ")[0] for line in done.stdout.splitlines() if line.startswith("FAULT")]
    assert faults == ["FAULT  INGEST_BIND", "FAULT  DASHBOARD_BIND", "FAULT  database"]


def test_doctor_says_that_settings_are_wrong(run: Run) -> None:
    done = run("doctor", DATABASE_URL="mysql://u:hunter2@h/db")
    assert done.returncode == 1
    assert "FAULT  settings: DATABASE_URL" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_doctor_says_that_migrations_are_missing(run: Run, fresh_dsn: str, unused_port: int) -> None:
    bind = f"127.0.0.1:{unused_port}"
    done = run("doctor", DATABASE_URL=fresh_dsn, INGEST_BIND=bind, DASHBOARD_BIND=bind)
    assert done.returncode == 1
    assert f"FAULT  migrations: {len(load())} to apply: run `accessboard migrate`" in done.stdout


# ---- the embedded database ----


@pytest.mark.skipif(bool(NATIVE_DSN), reason="this is about the embedded database")
def test_commands_share_one_embedded_database(run: Run, service: str, tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text(LINES, encoding="utf-8")
    done = run("import", "one.log", "--service", service)
    assert (done.returncode, receipt(done)) == (0, [12, 12, 0, 0])
    database = EmbeddedDatabase(tmp_path / "data")
    database.start()
    try:
        # It runs now, and the command works on it instead of starting another.
        again = run("import", "one.log", "--service", service)
        assert (again.returncode, receipt(again)) == (0, [12, 0, 12, 0])
        found = run("doctor")
        assert "ok     database: embedded" in found.stdout
        assert "another" not in found.stdout
    finally:
        database.stop()


# ---- the ingest server as a process ----


def test_ingest_server_serves_and_ends_on_sigterm(
    environment: dict[str, str], tmp_path: Path, dsn: str, unused_port: int, service: str
) -> None:
    address = f"http://127.0.0.1:{unused_port}"
    with (tmp_path / "said").open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "accessboard", "ingest-server"],
            env=environment | {"DATABASE_URL": dsn, "INGEST_BIND": f"127.0.0.1:{unused_port}"},
            cwd=tmp_path,
            stdout=said,
            stderr=said,
        )
    try:
        wait_until_answered(f"{address}/readyz", server)
        for path in ("/log/ingest", "/log/ingest/"):
            request = urllib.request.Request(f"{address}{path}?service={service}", data=LINES.encode(), method="POST")
            with urllib.request.urlopen(request, timeout=30) as answer:
                body = answer.read()
                # Fluent Bit takes an answer of 4,094 bytes or more, head included, for a broken connection.
                assert len(body) + len(str(answer.headers)) < 1024
                assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
                assert b'"stored":12' in body
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/nowhere", timeout=30)
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0
    assert "Traceback" not in (tmp_path / "said").read_text(encoding="utf-8")


def wait_until_answered(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    pause = threading.Event()
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not answer"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except (urllib.error.URLError, ConnectionError):
            pause.wait(0.1)
