"""Settings of a run, from the environment or `.env`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Settings = TypeVar("Settings", bound=BaseSettings)


class RunSettings(BaseSettings):
    """Where the embedded database lives."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    data_dir: Path = Field(default=Path("data"), description="Folder of the embedded database.")


class BadSettings(Exception):
    """A setting has a value that cannot be meant; the text names it and says why."""


class BusyPort(Exception):
    """Another program listens where we want to; the text names the setting to change."""


def load(kind: type[Settings]) -> Settings:
    """Read settings from the environment; NAME_FILE names a file that holds the value of NAME, such as a secret.

    Raises:
        BadSettings: naming each variable that is wrong.
    """
    try:
        return kind(**_from_files(kind))
    except ValidationError as error:
        problems = (f"{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise BadSettings("; ".join(problems)) from None


def _from_files(kind: type[BaseSettings]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in kind.model_fields:
        variable = f"{name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            continue
        if os.environ.get(name.upper()):
            raise BadSettings(f"{name.upper()} and {variable} are both set: take one away")
        try:
            found[name] = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"{variable}: {path} cannot be read ({error})") from None
    return found


def parse_bind(bind: str, variable: str) -> tuple[str, int]:
    """Split `host:port`.

    Raises:
        BadSettings: it is not of that form.
    """
    host, separator, port = bind.rpartition(":")
    if not separator or not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 65536:
        raise BadSettings(f"{variable} is {bind!r}; write it as 127.0.0.1:8000")
    return host.strip("[]"), int(port)
