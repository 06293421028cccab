"""What is in the repository works on any machine: no address of a registry, no path of somebody's disk."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Put together from parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("npm", "pkg", "github", "com"),
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("files", "pythonhosted", "org"),
    )
]
OWN_PATHS = re.compile(
    "|".join(
        "/" + part
        for part in ("wo" + r"rk/(main|shared)\b", "ho" + r"me/(?!app\b)\w+/", "Us" + r"ers/\w+/", "ro" + r"ot/\w")
    )
    + r"|[A-Z]:\\\\?Us" + r"ers\\"
)  # fmt: skip


@cache
def tracked_texts() -> dict[str, str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of the repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue  # removed but not committed yet
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            texts[name] = content.decode("utf-8", "replace")
    return texts


def test_repository_lists_its_texts() -> None:
    assert {"pyproject.toml", "Makefile", ".env.example", "sql/plan.py"} <= tracked_texts().keys()


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_repository_names_no_registry_host(host: str) -> None:
    assert [name for name, text in tracked_texts().items() if host in text] == []


def test_repository_holds_no_path_of_a_developer_machine() -> None:
    found = {name: match[0] for name, text in tracked_texts().items() if (match := OWN_PATHS.search(text))}
    assert found == {}


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "node.txt"])
def test_requirements_are_pinned_with_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+( ;.*?)?\s+--hash=sha256:[0-9a-f]{64}\b", line), line
        assert "://" not in line


def test_requirements_of_tests_hold_those_of_the_program() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([A-Za-z0-9._-]+==[^\s\\]+)", text, re.MULTILINE))

    assert pins("runtime.txt") <= pins("dev.txt")


def test_package_locks_have_a_hash_and_no_address() -> None:
    names = [name for name in tracked_texts() if name.endswith("package-lock.json")]
    assert names
    for name in names:
        text = tracked_texts()[name]
        assert '"resolved"' not in text
        packages = {key: value for key, value in json.loads(text)["packages"].items() if key}
        assert packages
        assert all(value["integrity"].startswith("sha512-") for value in packages.values())


def test_the_package_list_names_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    tops = {name.split(".")[0] for name in listed}
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in tops
        for path in (ROOT / top).rglob("__init__.py")
        if "node_modules" not in path.parts
    }
    assert set(listed) == found
