"""`.env.example` is the settings, no more and no less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from accessboard.logs import LogSettings
from accessboard.reference import reference
from accessboard.settings import RunSettings
from dashapp.settings import DashboardSettings
from ingest_server.settings import IngestSettings
from sql.settings import DatabaseSettings, LifeSettings, UserSettings

EXAMPLE = Path(__file__).parents[3] / ".env.example"
KINDS: list[type[BaseSettings]] = [
    DatabaseSettings,
    LifeSettings,
    UserSettings,
    RunSettings,
    LogSettings,
    IngestSettings,
    DashboardSettings,
]
# What the README and the acceptance checks rely on.
PROMISED = {
    "DATABASE_URL",
    "INGEST_BIND",
    "INGEST_TOKENS",
    "DASHBOARD_BIND",
    "DATA_DIR",
    "SETTLE_SECONDS",
    "DISPLAY_TIMEZONE",
    "COMPANY_NAME",
    "UI_LANGUAGE",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "MAX_DAILY_COST",
}


def written() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = [line.split("=", 1) for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs), "a setting stands twice"
    return {pair[0]: pair[1] for pair in pairs}


def default_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "" if value is None else str(value)


def test_env_example_holds_every_setting_with_its_default_and_nothing_else() -> None:
    declared = {
        name.upper(): default_text(field.default) for kind in KINDS for name, field in kind.model_fields.items()
    }
    assert written() == declared


def test_the_reference_is_what_the_settings_say() -> None:
    page = (EXAMPLE.parent / "docs/configuration.md").read_text("utf-8")
    assert page == reference(), "write it anew: accessboard settings > docs/configuration.md"
    assert all(f"| `{name}` |" in page for name in written())


def test_env_example_holds_what_is_promised() -> None:
    assert written().keys() >= PROMISED


def test_env_example_explains_each_setting() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            group = next(before for before in reversed(lines[:number]) if not before.startswith("POSTGRES_"))
            assert group.startswith("#") or line.startswith("POSTGRES_"), line


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_env_example_used_as_it_is_changes_nothing(
    kind: type[BaseSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in written():
        monkeypatch.delenv(name, raising=False)
    without = kind()
    Path(".env").write_bytes(EXAMPLE.read_bytes())
    assert kind() == without


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_settings_describe_every_field(kind: type[BaseSettings]) -> None:
    assert all(field.description for field in kind.model_fields.values())
