"""docs/formats.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_server.fields import ALIASES
from ingest_server.formats import DIALECTS, LINE_FORMATS, parse_line

TEXT = (Path(__file__).parents[4] / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(line.split(maxsplit=1) for line in TEXT.split("```text\n")[1].split("```")[0].splitlines())
UNITS = {1.0: "ms", 1e3: "s", 1e-3: "µs", 1e-6: "ns"}


def test_every_format_has_a_row_and_an_example_in_order() -> None:
    assert list(EXAMPLES) == list(LINE_FORMATS)
    rows = [TEXT.find(f"\n| `{name}` |") for name in LINE_FORMATS]
    assert -1 not in rows
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_the_example_of_a_format_is_read_by_it(name: str) -> None:
    record = parse_line(EXAMPLES[name])
    assert record is not None
    assert record == parse_line(EXAMPLES[name], name)


def test_every_dialect_is_named() -> None:
    assert all(f"`{dialect.name}`" in TEXT for dialect in DIALECTS)


@pytest.mark.parametrize("column", ALIASES)
def test_every_name_of_a_field_is_in_its_row_with_its_unit(column: str) -> None:
    rows = [
        [cell.strip() for cell in line.split("|")] for line in TEXT.splitlines() if line.startswith(f"| `{column}`")
    ]
    names = [(name.strip("`"), row[3]) for row in rows for name in row[2].split()]
    units = UNITS if column == "latency_ms" else {1.0: ""}
    assert names == [(name, units[factor]) for name, factor in ALIASES[column].items()]
