"""How long data stays: what may be set, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from accessboard.settings import BadSettings, load
from sql.settings import LifeSettings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in LifeSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "values",
    [
        {"KEEP_LOG_DAYS": "30", "KEEP_FIGURES_DAYS": "30"},
        {"KEEP_LOG_DAYS": "1.5", "KEEP_LOG_GB": "0.5"},
        {"COLUMNSTORE_AFTER_DAYS": "0", "CHUNK_HOURS": "1"},
        {"KEEP_LOG_DAYS": "0", "KEEP_FIGURES_DAYS": "0", "KEEP_LOG_GB": "0"},
    ],
)
def test_settings_that_fit_together(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load(LifeSettings)
    assert {name: getattr(settings, name.lower()) for name in values} == {k: float(v) for k, v in values.items()}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"KEEP_LOG_DAYS": "60", "KEEP_FIGURES_DAYS": "30"},
            "KEEP_FIGURES_DAYS: figures kept for 30 days must outlive",
        ),
        ({"KEEP_FIGURES_DAYS": "30"}, "set KEEP_LOG_DAYS (now 0, 0 is for ever) to at most that"),
        ({"KEEP_LOG_DAYS": "1", "KEEP_FIGURES_DAYS": "2"}, "KEEP_FIGURES_DAYS: must be 0, or from 7"),
        ({"KEEP_LOG_DAYS": "0.5"}, "KEEP_LOG_DAYS: must be 0, or from 1"),
        ({"KEEP_LOG_DAYS": "-1"}, "KEEP_LOG_DAYS"),
        ({"KEEP_LOG_DAYS": "nan"}, "KEEP_LOG_DAYS"),
        ({"KEEP_LOG_DAYS": "many", "KEEP_FIGURES_DAYS": "30"}, "KEEP_LOG_DAYS"),
        ({"COLUMNSTORE_AFTER_DAYS": "1e9"}, "COLUMNSTORE_AFTER_DAYS"),
        ({"KEEP_LOG_GB": "inf"}, "KEEP_LOG_GB"),
        ({"CHUNK_HOURS": "5"}, "CHUNK_HOURS: 5 hours do not divide a day"),
        ({"CHUNK_HOURS": "0"}, "CHUNK_HOURS"),
    ],
)
def test_settings_that_contradict_are_named(
    values: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as caught:
        load(LifeSettings)
    assert words in str(caught.value)
    assert ";" not in str(caught.value)
