"""The container deployment, read as text: no container is needed to find a file that is not there."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
import shlex
import tomllib
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from accessboard.cli import cli

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
FLUENT_BIT = (ROOT / "deploy/fluent-bit.conf").read_text("utf-8")
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
# The value of a variable, with an operator when there is one; a default may itself hold a variable.
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(:?[-?+])?")
PINNED = re.compile(r"[^:@]+:[^:]*\d+\.\d+[^:]*(@sha256:[0-9a-f]{64})?")
STARTING = {"service_started", "service_healthy", "service_completed_successfully"}


def faults_of_compose(text: str, root: Path = ROOT) -> list[str]:
    """Return what would keep the stack from starting, one sentence each."""
    parsed = yaml.safe_load(text)
    services: dict[str, dict[str, Any]] = parsed["services"]
    documented = set(re.findall(r"^#? ?([A-Z_]+)=", (root / ".env.example").read_text("utf-8"), re.MULTILINE))
    found = [
        f"{name} is neither documented in .env.example nor has a default"
        for name, operator in VARIABLE.findall(text.replace("$$", ""))
        if name not in documented and operator not in ("-", ":-")
    ]
    for name, service in services.items():
        found += [f"{name}: {fault}" for fault in _faults_of_service(service, services, parsed["volumes"], root)]
    return found


def _faults_of_service(
    service: dict[str, Any], services: dict[str, dict[str, Any]], volumes: dict[str, Any], root: Path
) -> list[str]:
    found = []
    if not PINNED.fullmatch(service.get("image", "")) or "latest" in service["image"]:
        found.append(f"image {service.get('image')} is not pinned")
    if build := service.get("build"):
        context = root / build["context"]
        if not context.is_dir() or not (context / build["dockerfile"]).is_file():
            found.append(f"{build['dockerfile']} does not exist")
        found += _faults_of_command(service)
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith((".", "/")):
            if not (root / source).is_file():
                found.append(f"mounted file {source} does not exist")
        elif source not in volumes:
            found.append(f"volume {source} is not declared")
    found += [f"port {port} is open to the network" for port in service.get("ports", []) if port[:10] != "127.0.0.1:"]
    for other, how in service.get("depends_on", {}).items():
        if other not in services:
            found.append(f"depends on {other}, which does not exist")
        elif how["condition"] not in STARTING:
            found.append(f"waits for {other} in an unknown way: {how['condition']}")
        elif how["condition"] == "service_healthy" and "healthcheck" not in services[other]:
            found.append(f"waits for the health of {other}, which has no check")
        elif how["condition"] == "service_completed_successfully" and services[other]["restart"] == "unless-stopped":
            found.append(f"waits for the end of {other}, which is always restarted")
    return found


def _faults_of_command(service: dict[str, Any]) -> list[str]:
    first = service["command"][0]
    if service.get("entrypoint") == ["python", "-m"]:
        return [] if importlib.util.find_spec(first) else [f"{first} is no Python module"]
    if "entrypoint" in service:
        return [f"unknown entrypoint {service['entrypoint']}"]
    return [] if first in cli.commands else [f"{first} is no command of accessboard"]


def sections_of(text: str) -> dict[str, dict[str, str]]:
    """Return the sections of a Fluent Bit file in classic form; of a key given twice, both values."""
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            current = sections[stripped[1:-1]] = {}
        elif stripped and not stripped.startswith("#"):
            key, value = stripped.split(None, 1)
            current[key.lower()] = value
    return sections


def faults_of_fluent_bit(text: str, environment: dict[str, str], root: Path = ROOT) -> list[str]:
    """Return what would lose data, or keep Fluent Bit from delivering it."""
    sections = sections_of(text)
    service, source, sink = sections["SERVICE"], sections["INPUT"], sections["OUTPUT"]
    wanted = {
        "URI": (sink.get("uri"), "/log/ingest"),
        "Retry_Limit": (sink.get("retry_limit"), "no_limits"),
        "Format": (sink.get("format"), "json_lines"),
        "compress": (sink.get("compress"), "gzip"),
        "header_tag": (sink.get("header_tag"), "X-Fluent-Tag"),
        "header": (sink.get("header"), "Authorization Bearer ${INGEST_TOKEN}"),
        "storage.type": (source.get("storage.type"), "filesystem"),
        "uuid_key": (sections["FILTER"].get("uuid_key"), "_id"),
    }
    found = [f"{key} is {is_value}, not {value}" for key, (is_value, value) in wanted.items() if is_value != value]
    found += [f"{key} is missing" for key, where in (("storage.path", service), ("db", source)) if key not in where]
    parsers = root / "deploy" / service["parsers_file"]
    if not parsers.is_file():
        found.append(f"{service['parsers_file']} does not exist")
    elif sections_of(parsers.read_text("utf-8"))["PARSER"]["name"] != source["parser"]:
        found.append(f"parser {source['parser']} is not declared")
    # Fluent Bit sets HOSTNAME itself.
    given = {*environment, "HOSTNAME"}
    found += [f"{name} is not set" for name, _ in VARIABLE.findall(text) if name not in given]
    return found


def faults_of_dockerfile(text: str, root: Path = ROOT) -> list[str]:
    """Return what would keep the image from being built or make it hold too little."""
    steps = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line[:1].isalpha()]
    values: dict[str, list[str]] = {}
    for name, value in steps:
        values.setdefault(name, []).append(value)
    sources = [source for value in values["COPY"] for source in shlex.split(value)[:-1]]
    kept = {line[1:].strip("/") for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    copied = {source.strip("/") for source in sources}
    found = [f"{source} does not exist" for source in sources if not (root / source).exists()]
    found += [f"{source} is kept out by .dockerignore" for source in copied - kept]
    found += [f"package {name} is not copied" for name in packages if name.partition(".")[0] not in copied]
    found += [f"image {image} is not pinned" for image in values["FROM"] if not PINNED.fullmatch(image)]
    if not values.get("USER") or values["USER"][-1] in ("root", "0"):
        found.append("the image runs as root")
    if not any("--require-hashes" in step for step in values["RUN"]):
        found.append("the libraries are not pinned by their hashes")
    return found


def environment_of(service: str) -> dict[str, str]:
    environment: dict[str, str] = yaml.safe_load(COMPOSE)["services"][service]["environment"]
    return environment


def test_the_stack_could_start() -> None:
    assert faults_of_compose(COMPOSE) == []


def test_every_part_is_there() -> None:
    wanted = {"timescaledb", "migrate", "ingest-server", "dashboard", "fluent-bit", "target", "visitors"}
    assert set(yaml.safe_load(COMPOSE)["services"]) == wanted


@pytest.mark.parametrize(
    ("whole", "broken", "fault"),
    [
        ("deploy/Dockerfile", "deploy/Nofile", "deploy/Nofile does not exist"),
        ("./deploy/parsers.conf:", "./deploy/nothing.conf:", "mounted file ./deploy/nothing.conf does not exist"),
        ("timescaledb:2.29.2-pg17", "timescaledb:latest-pg17", "is not pinned"),
        ("fluent/fluent-bit:5.1.3", "fluent/fluent-bit", "is not pinned"),
        ('command: ["migrate"]', 'command: ["migrat"]', "migrat is no command"),
        ("demo.visitors", "demo.visitor", "demo.visitor is no Python module"),
        ("migrate: { condition", "migrated: { condition", "depends on migrated"),
        ("${POSTGRES_PASSWORD:-accessboard}", "${DATABASE_SECRET}", "DATABASE_SECRET is neither documented"),
        ("${INGEST_TOKEN:-${INGEST_TOKENS:-local-demo-token}}", "${INGEST_TOKEN}", "INGEST_TOKEN is neither"),
        ('"127.0.0.1:8000:8000"', '"8000:8000"', "open to the network"),
        ("- database:/var", "- data:/var", "volume data is not declared"),
        ("restart: on-failure:5", "restart: unless-stopped", "always restarted"),
        ("  healthcheck:\n      test: [", "  checkhealth:\n      test: [", "has no check"),
    ],
)
def test_a_broken_stack_is_noticed(whole: str, broken: str, fault: str) -> None:
    assert whole in COMPOSE
    assert any(fault in one for one in faults_of_compose(COMPOSE.replace(whole, broken)))


def test_fluent_bit_loses_nothing() -> None:
    assert faults_of_fluent_bit(FLUENT_BIT, environment_of("fluent-bit")) == []


@pytest.mark.parametrize(
    ("whole", "broken", "fault"),
    [
        ("no_limits", "5", "Retry_Limit"),
        ("/log/ingest", "/logs", "URI"),
        ("parsers.conf", "no.conf", "no.conf does not exist"),
        ("target_access", "other", "parser other is not declared"),
        ("uuid_key              _id", "uuid_key  id", "uuid_key"),
        ("filesystem", "memory", "storage.type"),
        ("${INGEST_PORT}", "${PORT}", "PORT is not set"),
    ],
)
def test_a_fluent_bit_that_loses_data_is_noticed(whole: str, broken: str, fault: str) -> None:
    assert whole in FLUENT_BIT
    found = faults_of_fluent_bit(FLUENT_BIT.replace(whole, broken), environment_of("fluent-bit"))
    assert any(fault in one for one in found)


def test_fluent_bit_reads_what_the_target_writes() -> None:
    written = datetime(2026, 9, 16, tzinfo=UTC).strftime(environment_of("target")["ACCESS_LOG_FILE"])
    assert fnmatch.fnmatch(written, environment_of("fluent-bit")["ACCESS_LOG_FILES"])
    folder = str(PurePosixPath(written).parent)
    services = yaml.safe_load(COMPOSE)["services"]
    assert f"target-log:{folder}" in services["target"]["volumes"]
    assert f"target-log:{folder}:ro" in services["fluent-bit"]["volumes"]


def test_the_image_could_be_built() -> None:
    assert faults_of_dockerfile(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("whole", "broken", "fault"),
    [
        ("COPY sql/ sql/", "COPY sqls/ sql/", "sqls/ does not exist"),
        ("COPY demo/ demo/", "", "package demo is not copied"),
        ("COPY sql/ sql/", "COPY sql/ sql/\nCOPY docs/ docs/", "docs is kept out"),
        ("python:3.11.15-slim-trixie", "python:3-slim", "is not pinned"),
        ("USER accessboard", "USER root", "runs as root"),
        ("--require-hashes ", "", "hashes"),
    ],
)
def test_a_broken_image_is_noticed(whole: str, broken: str, fault: str) -> None:
    assert whole in DOCKERFILE
    assert any(fault in one for one in faults_of_dockerfile(DOCKERFILE.replace(whole, broken)))
