"""The instructions and the evidence as they are sent. Templates are files with a version: analyze.v1.txt."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from dashapp.ai.evidence import Pack

PROMPTS = Path(__file__).parent / "prompts"
_FILE = re.compile(r"(?P<task>[a-z]+)\.v(?P<version>\d+)\.txt")
_LANGUAGES = {"ko": "Korean", "en": "English"}


def versions(task: str) -> list[str]:
    """Versions of a template, the newest first, such as v1."""
    found = [_FILE.fullmatch(path.name) for path in PROMPTS.glob(f"{task}.*.txt")]
    numbers = sorted((int(each["version"]) for each in found if each), reverse=True)
    return [f"v{number}" for number in numbers]


@cache
def template(task: str, version: str) -> str:
    """Text of a template.

    Raises:
        FileNotFoundError: there is no such version.
    """
    if not re.fullmatch(r"v\d+", version):
        raise FileNotFoundError(version)
    return (PROMPTS / f"{task}.{version}.txt").read_text(encoding="utf-8")


def instructions(task: str, version: str, language: str) -> str:
    """What the model is told to do."""
    return template(task, version).replace("{language}", _LANGUAGES[language])


def evidence_text(pack: Pack) -> str:
    """The evidence as the model reads it: data between marks, never instructions."""
    lines = "\n".join(pack.lines)
    return f"<evidence zone={pack.zone}>\n{lines}\n</evidence>"
