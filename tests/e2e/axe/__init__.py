"""axe-core, installed once beside this file exactly as locked, and run in the page that a browser shows."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from accessboard.embedded.node import find_node

FOLDER = Path(__file__).parent
_SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def script() -> str:
    """The text of axe-core."""
    if not _SCRIPT.exists():
        npm = find_node().npm
        environment = os.environ | {"PATH": f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        subprocess.run(
            [str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=FOLDER,
            env=environment,
            timeout=300,
            check=True,
        )
    return _SCRIPT.read_text(encoding="utf-8")


def violations(driver: Any) -> list[str]:
    """What axe finds wrong with the page: a line for each element, with the rule it breaks."""
    driver.set_script_timeout(60)
    driver.execute_script(script())
    found = driver.execute_async_script(
        """
        var done = arguments[1];
        axe.run(document, { runOnly: arguments[0], resultTypes: ["violations"] })
          .then(function (result) { done(result.violations); }, function (error) { done(String(error)); });
        """,
        _RULES,
    )
    assert isinstance(found, list), found
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))} {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        for node in rule["nodes"]
    ]
