"""Settings are read into sentences, addresses into host and port."""

from __future__ import annotations

from pathlib import Path

import pytest

from accessboard.settings import BadSettings, RunSettings, load, parse_bind
from dashapp.settings import DashboardSettings
from sql.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_load_reads_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    assert load(RunSettings).data_dir == tmp_path / "elsewhere"


def test_load_reads_the_file_and_ignores_what_it_does_not_know() -> None:
    Path(".env").write_text("DATA_DIR=/var/lib/board\nSOMETHING_ELSE=1\n", encoding="utf-8")
    assert load(RunSettings).data_dir == Path("/var/lib/board")


def test_load_names_every_wrong_variable_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY_TIMEZONE", "Asia/Nowhere")
    monkeypatch.setenv("SETTLE_SECONDS", "soon")
    with pytest.raises(BadSettings) as caught:
        load(DashboardSettings)
    words = str(caught.value)
    assert "SETTLE_SECONDS: " in words
    assert "DISPLAY_TIMEZONE: 'Asia/Nowhere' is no time zone; use a name such as Asia/Seoul or UTC" in words
    assert "\n" not in words
    assert "Value error" not in words


def test_load_never_quotes_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/db")
    monkeypatch.setenv("POSTGRES_PORT", "none")
    with pytest.raises(BadSettings, match="POSTGRES_PORT") as caught:
        load(DatabaseSettings)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("bind", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("0.0.0.0:1", "0.0.0.0", 1),  # noqa: S104
        ("localhost:65535", "localhost", 65535),
        ("[::1]:8050", "::1", 8050),
    ],
)
def test_parse_bind_splits_host_and_port(bind: str, host: str, port: int) -> None:
    assert parse_bind(bind, "INGEST_BIND") == (host, port)


@pytest.mark.parametrize(
    "bind", ["", "8000", ":8000", "127.0.0.1", "127.0.0.1:", "host:http", "host:0", "host:65536", "host:-1", "host:²"]
)
def test_parse_bind_refuses_and_names_the_variable(bind: str) -> None:
    with pytest.raises(BadSettings, match=r"INGEST_BIND is .*write it as 127\.0\.0\.1:8000"):
        parse_bind(bind, "INGEST_BIND")
