"""The dashboard's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dashapp.settings import DashboardSettings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in DashboardSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_settings_have_the_promised_defaults() -> None:
    settings = DashboardSettings()
    assert settings.dashboard_bind == "127.0.0.1:8050"
    assert settings.settle_seconds == 120
    assert settings.zone.key == "Asia/Seoul"
    assert settings.company_name == "SOLOMONTECH"
    assert settings.ui_language == "ko"
    assert settings.max_daily_cost == 1.0
    assert settings.openai_api_key is None


def test_settings_treat_an_empty_value_as_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DashboardSettings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert DashboardSettings() == DashboardSettings.model_construct()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISPLAY_TIMEZONE", "Asia/Nowhere"),
        ("DISPLAY_TIMEZONE", "../../etc/passwd"),
        ("SETTLE_SECONDS", "-1"),
        ("SETTLE_SECONDS", "soon"),
        ("UI_LANGUAGE", "fr"),
        ("MAX_DAILY_COST", "-0.1"),
    ],
)
def test_settings_refuse(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        DashboardSettings()


def test_settings_never_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")
    settings = DashboardSettings()
    assert settings.openai_api_key is not None
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
