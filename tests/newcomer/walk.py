"""What the newcomer types, in order, and what must come of it. Whatever a page shows stands here or in NOT_TYPED."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from tests.newcomer.blocks import Block
from tests.newcomer.place import Place, Wrong

LINES = 1_000
NOT_TYPED = {
    "README.md # Your own logs: [FILTER]": "a file of Fluent Bit: tests/e2e/test_fluent_bit_conservation.py",
    "docs/access.md # From nothing to accounts: WARNING": "what a log says",
    "docs/access.md # A reverse proxy and TLS: server {": "a file of nginx",
    "docs/ai.md # Set up: OPENAI_API_KEY": "settings with a key of one's own",
    "docs/ai.md # What is sent: endpoint": "what a prompt says",
    "docs/ai.md # History and API: POST": "a list of routes: tests/integration/test_ai_api.py",
    "docs/ingest.md # The ledger: received": "a formula",
    "docs/install.md # Containers: mkdir secrets": "needs Docker: tests/unit/test_deployment.py",
    "docs/install.md # systemd: create role": "needs a TimescaleDB server: tests/integration/test_least_rights.py",
    "docs/install.md # systemd: useradd": "needs systemd: tests/unit/test_deployment.py",
    "docs/operations.md # Backup and restore: pg_dump": "needs a TimescaleDB server: tests/integration/test_backup.py",
    "docs/operations.md # Backup and restore: psql": "needs a TimescaleDB server: tests/integration/test_backup.py",
    "docs/operations.md # Upgrade: git pull": "needs systemd: tests/e2e/test_upgrade_under_load.py",
    "docs/pages.md # Exact, and how to check it: select": "typed into psql: tests/e2e/test_newcomer.py",
    "docs/search.md # Search: {": "the shape of an answer",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A block, and what is done with it; `installs` where it takes what is not installed yet."""

    block: str
    follow: Callable[[Place, Block], None]
    installs: bool = False


def follow_all(place: Place, blocks: Sequence[Block], steps: Sequence[Step]) -> Iterator[tuple[str, str | None]]:
    """Follow steps in order; yields each with what was wrong, None where nothing was."""
    try:
        for step in steps:
            block = next(each for each in blocks if each.name.startswith(step.block))
            try:
                step.follow(place, block)
            except Wrong as wrong:
                yield block.name, str(wrong)
            else:
                yield block.name, None
    finally:
        place.stop()


def _demo(place: Place, block: Block) -> None:
    place.serve(command(block.lines[0]))
    place.wait(lambda: bool(place.get("/api/stats/summary?last=24h")["total"] > 50_000), 300)


def _break(place: Place, block: Block) -> None:
    begin = datetime.now(UTC)
    place.run(block.lines[0])

    def fails() -> bool:
        span = {"start": begin.isoformat(), "end": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
        asked = span | {"route": "/api/order/checkout", "method": "POST", "status": "5xx"}
        return bool(place.get(f"/api/stats/summary?{urlencode(asked)}")["total"] >= 5)

    place.wait(fails, 300)
    place.stop()


def _own_logs(place: Place, block: Block) -> None:
    setup, up, load = block.lines
    place.run(setup)
    _up(place, up, load)


def _trial(place: Place, block: Block) -> None:
    setup, up = block.lines
    if "up" not in up:
        raise Wrong(f"what is typed after {setup} is not what it was")
    place.run(setup)


def _up(place: Place, up: str, load: str) -> None:
    place.serve(command(up))
    with gzip.open(place.folder / "access.log.gz", "wt", encoding="utf-8") as file:
        file.writelines(_apache_line(number) for number in range(LINES))
    said = place.run(load)
    if f"stored {LINES:,}" not in said:
        raise Wrong(f"of {LINES:,} lines: {said}")


def _installed(place: Place, block: Block) -> None:
    """The same without setting it up, which somebody did."""
    _, up, load = block.lines
    _up(place, up, load)


def _curl(place: Place, block: Block) -> None:
    typed, expected = block.lines
    said = place.run(typed).strip()
    if said != expected:
        raise Wrong(f"it answers {said}")


def _quarantine(place: Place, block: Block) -> None:
    for body in ('{"timestamp":"2025-05-01T10:15:30Z","method":"no method","path":"/","status":200}', "{broken"):
        place.run(f"curl -s http://127.0.0.1:8000/log/ingest -d '{body}'")
    listed, *others = block.lines
    if "unreadable" not in place.run(listed):
        raise Wrong("the list does not show what was refused")
    said = [place.run(line, answer="y\n") for line in others]
    if "1" not in said[-1]:
        raise Wrong(f"nothing was dropped: {said[-1]}")


def _doctor(place: Place, block: Block) -> None:
    place.run(block.lines[0])


def _accounts(place: Place, block: Block) -> None:
    link, listed = block.lines
    if "/welcome/" not in place.run(link):
        raise Wrong("it prints no link")
    said = place.run(listed)
    if link.split()[3] not in said:
        raise Wrong(f"the list does not have it: {said}")


def _report(place: Place, block: Block) -> None:
    if shutil.which("chromium") is None:
        return
    place.run(block.lines[0])
    if not (place.folder / "week.pdf").read_bytes().startswith(b"%PDF"):
        raise Wrong("week.pdf is no PDF file")


STEPS = (
    Step("README.md # Try it: make demo", _demo, installs=True),
    Step("README.md # Try it: .venv/bin/python -m demo break", _break, installs=True),
    Step("docs/install.md # A trial: make setup", _trial, installs=True),
    Step("README.md # Your own logs: make setup", _own_logs, installs=True),
    Step("README.md # Your own logs: curl", _curl),
    # Before something is refused: of that the doctor would speak.
    Step("docs/install.md # A trial: .venv/bin/accessboard doctor", _doctor),
    Step("docs/ingest.md # The quarantine: accessboard", _quarantine),
    Step("README.md # The database: .venv/bin/accessboard report", _report),
    Step("docs/access.md # From nothing to accounts: accessboard", _accounts),
)
# Where everything is installed: what a test can follow in a minute.
INSTALLED = (Step("README.md # Your own logs: make setup", _installed), *(each for each in STEPS if not each.installs))


def command(line: str) -> str:
    """A line without the remark that stands behind it."""
    return line.partition("  #")[0].strip()


def untold(blocks: Sequence[Block]) -> list[str]:
    """Blocks that nobody follows and nobody gives a reason for."""
    known = (*(step.block for step in STEPS), *NOT_TYPED)
    return [block.name for block in blocks if not block.name.startswith(known)]


def gone(blocks: Sequence[Block]) -> list[str]:
    """What stands here and on no page."""
    known = (*(step.block for step in STEPS), *NOT_TYPED)
    return [name for name in known if not any(block.name.startswith(name) for block in blocks)]


def clone(source: Path, folder: Path) -> Path:
    """Return a clone of a checkout in a folder."""
    subprocess.run(["git", "clone", "--quiet", str(source), str(folder / "accessboard")], check=True)
    return folder / "accessboard"


def _apache_line(number: int) -> str:
    moment = datetime(2025, 5, 1, 10, tzinfo=UTC) + timedelta(seconds=number)
    return (
        f'192.0.2.{number % 200} - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "GET /item/{number} HTTP/1.1" 200 {number}'
        ' "-" "curl/8.5"\n'
    )
