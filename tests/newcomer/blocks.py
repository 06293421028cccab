"""The indented blocks of a Markdown page: what a reader would type, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Block:
    """An indented block, with the page and the heading it stands under."""

    page: str
    heading: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    @property
    def name(self) -> str:
        """Page, heading and first line: how a script tells one from another."""
        return f"{self.page} # {self.heading}: {self.lines[0].strip()}"


def blocks_of(root: Path) -> Iterator[Block]:
    """Return the blocks of README.md and of every page of docs/, in order."""
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        yield from _blocks(str(path.relative_to(root)), path.read_text("utf-8"))


def _blocks(page: str, text: str) -> Iterator[Block]:
    heading, held, fenced = "", list[str](), False
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            fenced = not fenced
        if line.startswith(_INDENT) and not fenced:
            held.append(line.removeprefix(_INDENT))
        elif held:
            yield Block(page, heading, "\n".join(held))
            held = []
        if line.startswith("#") and not fenced:
            heading = line.lstrip("# ")
