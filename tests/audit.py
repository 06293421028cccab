"""`python -m tests.audit`: whether a package that is installed has a known hole. Part of `make lint`.

Asks the advisories of PyPI (by pip-audit) and of npm. Where they cannot be had, as behind a mirror that has packages
only, it says so and passes: what cannot be asked must not stop work, and must not look as if it had been asked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ACCEPTED = ROOT / "requirements" / "accepted.txt"
_LINE = re.compile(r"(\S+) until (\d{4}-\d\d-\d\d): (\S.*)")


@dataclass(frozen=True)
class Audit:
    """What was asked and found: advisories by package, and how many packages nobody could say anything about."""

    asked: int = 0
    unknown: int = 0
    found: Mapping[str, list[str]] = field(default_factory=dict)


def of_python(report: Mapping[str, Any]) -> Audit:
    """Read the JSON of pip-audit."""
    packages = report.get("dependencies", [])
    unknown = sum("skip_reason" in each for each in packages)
    found = {
        f"{each['name']} {each['version']}": [hole["id"] for hole in each["vulns"]]
        for each in packages
        if each.get("vulns")
    }
    return Audit(len(packages) - unknown, unknown, found)


def of_node(report: Mapping[str, Any], packages: int) -> Audit:
    """Read the JSON of `npm audit`; one without `vulnerabilities` is a refusal."""
    if "vulnerabilities" not in report:
        return Audit(0, packages)
    found = {
        name: [str(via["url"]).rpartition("/")[2] for via in each["via"] if isinstance(via, dict)] or ["by another"]
        for name, each in report["vulnerabilities"].items()
    }
    return Audit(packages, 0, found)


def accepted(text: str, today: date) -> set[str]:
    """Advisories that somebody looked at and accepts for a while: lines `ID until YYYY-MM-DD: why`.

    Raises:
        ValueError: a line is none.
    """
    ids = set()
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{line!r}: write ID until YYYY-MM-DD: why")
        if date.fromisoformat(match[2]) >= today:
            ids.add(match[1])
    return ids


def verdict(audits: Mapping[str, Audit], fine: set[str]) -> tuple[list[str], bool]:
    """Lines for people, and whether something is wrong."""
    lines, wrong = [], False
    for name, audit in audits.items():
        if audit.asked:
            lines.append(f"{name}: {audit.asked} packages asked about")
        if not audit.asked and not audit.unknown:
            lines.append(f"{name}: nobody could be asked")
        if audit.unknown:
            lines.append(f"{name}: no advisories could be had for {audit.unknown} packages")
        for package, ids in audit.found.items():
            open_ids = [each for each in ids if each not in fine]
            wrong = wrong or bool(open_ids)
            lines += [f"{name}: {package} has {each}" for each in open_ids]
    return lines, wrong


def main() -> int:
    """Ask, say what was found, and return 1 where something was."""
    lock = json.loads((ROOT / "accessboard/embedded/package-lock.json").read_text("utf-8"))
    audits = {
        "python": of_python(_json([sys.executable, "-m", "pip_audit", *_PIP_AUDIT])),
        "node": of_node(
            _json(["npm", "audit", "--json", "--prefix", "accessboard/embedded"]), len(lock["packages"]) - 1
        ),
    }
    lines, wrong = verdict(audits, accepted(ACCEPTED.read_text("utf-8"), date.today()))  # noqa: DTZ011
    sys.stdout.write("\n".join(lines) + "\n")
    return int(wrong)


_PIP_AUDIT = (
    "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "10",
    "-r", "requirements/runtime.txt",
)  # fmt: skip


def _json(command: list[str]) -> Any:
    """What a program prints; nothing where it is not there or is no JSON."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}


if __name__ == "__main__":
    sys.exit(main())
