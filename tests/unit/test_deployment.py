"""Units of systemd, the production overlay, and secrets from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from accessboard.cli import cli
from accessboard.settings import BadSettings, load
from ingest_server.settings import IngestSettings
from sql.settings import DatabaseSettings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))


class _Compose(yaml.SafeLoader):
    """YAML with the tag by which an overlay takes a value away."""


_Compose.add_constructor("!reset", lambda _loader, _node: None)


def pairs_of(unit: Path) -> list[tuple[str, str]]:
    lines = [line for line in unit.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#")]
    return [(line.partition("=")[0], line.partition("=")[2]) for line in lines]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_as_nobody_special(unit: Path) -> None:
    pairs = pairs_of(unit)
    one = dict(pairs)
    program, command = one["ExecStart"].split()
    assert program.endswith("/.venv/bin/accessboard")
    assert command in cli.commands
    assert unit.stem == f"accessboard-{command}"
    assert (one["User"], one["NoNewPrivileges"], one["ProtectSystem"]) == ("accessboard", "yes", "strict")
    credential = one["LoadCredential"].partition(":")[0]
    assert ("Environment", f"DATABASE_URL_FILE=%d/{credential}") in pairs


def test_the_overlay_changes_services_that_there_are() -> None:
    base: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    text = (ROOT / "deploy/compose.production.yml").read_text("utf-8")
    over: dict[str, Any] = yaml.load(text, Loader=_Compose)  # noqa: S506 (ours is the safe one)
    assert over["services"].keys() <= base["services"].keys()
    started_by_a_profile = {name for name, each in over["services"].items() if "profiles" in each}
    assert started_by_a_profile == {"target", "visitors", "fluent-bit"}
    for name, each in over["services"].items():
        assert set(each.get("secrets", [])) <= over["secrets"].keys(), name
        files = [value for key, value in each.get("environment", {}).items() if key.endswith("_FILE")]
        assert {Path(value).name for value in files} == set(each.get("secrets", [])), name
    # What is said twice would be refused: one of both is empty.
    for name in ("ingest-server", "dashboard", "migrate"):
        environment = over["services"][name]["environment"]
        assert all(environment[key.removesuffix("_FILE")] == "" for key in environment if key.endswith("_FILE"))
    assert over["services"]["dashboard"]["environment"]["AUTH"] == "accounts"


def test_python_services_write_nothing_but_their_volumes() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    ours = [each for each in services.values() if each["image"].startswith("accessboard:")]
    assert len(ours) >= 4
    assert all((each["read_only"], each["cap_drop"], each["tmpfs"]) == (True, ["ALL"], ["/tmp"]) for each in ours)  # noqa: S108


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokens").write_text("one, two\n")
    (tmp_path / "url").write_text("postgresql://a:b@127.0.0.1/c\n")
    monkeypatch.setenv("INGEST_TOKENS_FILE", str(tmp_path / "tokens"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load(IngestSettings).tokens() == ("one", "two")
    assert "dbname=c" in (load(DatabaseSettings).dsn() or "")
    monkeypatch.setenv("INGEST_TOKENS", "three")
    with pytest.raises(BadSettings, match="INGEST_TOKENS and INGEST_TOKENS_FILE are both set"):
        load(IngestSettings)
    monkeypatch.setenv("INGEST_TOKENS", "")
    monkeypatch.setenv("INGEST_TOKENS_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(BadSettings, match="cannot be read"):
        load(IngestSettings)
