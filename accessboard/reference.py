"""Every setting with its default and what it does, as docs/configuration.md has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from accessboard.logs import LogSettings
from accessboard.settings import RunSettings
from dashapp.settings import DashboardSettings
from ingest_server.settings import IngestSettings
from sql.settings import DatabaseSettings, LifeSettings, UserSettings

SECTIONS: tuple[tuple[str, tuple[type[BaseSettings], ...]], ...] = (
    ("The database", (DatabaseSettings, RunSettings, UserSettings)),
    ("How long data stays", (LifeSettings,)),
    ("Ingest server", (IngestSettings,)),
    ("Dashboard", (DashboardSettings,)),
    ("Both servers", (LogSettings,)),
)
_INTRODUCTION = """# Settings

From the environment or a file `.env`; [.env.example](../.env.example) is a file to start from. Each `NAME` may come
from a file that `NAME_FILE` names. An empty value means the default. `accessboard settings` prints this page.
"""


def reference() -> str:
    """The page."""
    return "\n".join([_INTRODUCTION, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    said: set[str] = set()
    for title, kinds in SECTIONS:
        yield f"## {title}\n\n| setting | default | what it does |\n| --- | --- | --- |"
        for kind in kinds:
            for name, field in kind.model_fields.items():
                if name not in said:  # the dashboard reads some of the ingest server's too
                    said.add(name)
                    words = (field.description or "").replace("|", "\\|")
                    yield f"| `{name.upper()}` | {_default(field.default)} | {words} |"
        yield ""


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "" if value in (None, "", {}) else f"`{value}`"
