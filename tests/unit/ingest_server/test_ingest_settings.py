"""The ingest server's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_server.settings import IngestSettings


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ()),
        (" , ", ()),
        ("one", ("one",)),
        (" one, two ,one,", ("one", "two")),
    ],
    ids=["empty", "commas only", "one", "repeated"],
)
def test_tokens_are_each_listed_once(text: str, tokens: tuple[str, ...]) -> None:
    assert IngestSettings(ingest_tokens=SecretStr(text)).tokens() == tokens


def test_tokens_show_nowhere() -> None:
    settings = IngestSettings(ingest_tokens=SecretStr("hunter2"))
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_settings_read_the_environment_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("INGEST_BIND=0.0.0.0:9000\nINGEST_TOKENS=file\n", encoding="utf-8")
    monkeypatch.setenv("INGEST_TOKENS", "environment")
    settings = IngestSettings()
    assert settings.ingest_bind == "0.0.0.0:9000"
    assert settings.tokens() == ("environment",)
