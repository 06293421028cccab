"""Which migration files are read, and which of them are still to be applied."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sql.migrate import MIGRATIONS, Migration, MigrationError, load, pending

ONE = Migration(1, "0001_one", "select 1")
TWO = Migration(2, "0002_two", "select 2")
THREE = Migration(3, "0003_three", "select 3")


def recorded(*migrations: Migration) -> dict[int, str]:
    return {migration.version: migration.sha256 for migration in migrations}


def test_load_reads_the_files_in_order_of_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "0010_ten.sql").write_text("select 10", encoding="utf-8")
    (tmp_path / "0002_two.sql").write_text("select 2 -- 둘", encoding="utf-8")
    (tmp_path / "README.md").write_text("no migration", encoding="utf-8")
    assert load(tmp_path) == [
        Migration(2, "0002_two", "select 2 -- 둘"),
        Migration(10, "0010_ten", "select 10"),
    ]


def test_load_of_the_product_has_no_gap() -> None:
    assert [migration.version for migration in load()] == list(range(1, len(list(MIGRATIONS.glob("*.sql"))) + 1))


@pytest.mark.parametrize("name", ["1_short.sql", "no_number.sql", "0001-dash.sql", "00001_long.sql", "0001_.x.sql"])
def test_load_refuses_a_file_without_a_number(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("select 1", encoding="utf-8")
    with pytest.raises(MigrationError, match=r"NNNN_what_it_does\.sql") as caught:
        load(tmp_path)
    assert name in str(caught.value)


def test_load_refuses_two_files_of_the_same_number(tmp_path: Path) -> None:
    for name in ("0001_one.sql", "0001_other.sql"):
        (tmp_path / name).write_text("select 1", encoding="utf-8")
    with pytest.raises(MigrationError, match="same number") as caught:
        load(tmp_path)
    assert "0001_one" in str(caught.value)
    assert "0001_other" in str(caught.value)


def test_migration_hash_does_not_depend_on_line_ends(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_bytes(b"select\n1\n")
    unix = load(tmp_path)[0]
    (tmp_path / "0001_one.sql").write_bytes(b"select\r\n1\r\n")
    assert load(tmp_path)[0].sha256 == unix.sha256 == hashlib.sha256(b"select\n1\n").hexdigest()


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        pytest.param([], [ONE, TWO, THREE], id="nothing applied"),
        pytest.param([ONE], [TWO, THREE], id="one applied"),
        pytest.param([ONE, TWO, THREE], [], id="all applied"),
    ],
)
def test_pending_returns_what_is_left(applied: list[Migration], expected: list[Migration]) -> None:
    assert pending([ONE, TWO, THREE], recorded(*applied)) == expected


def test_pending_refuses_a_file_that_was_changed_after_it_had_been_applied() -> None:
    changed = Migration(1, "0001_one", "select 1 -- and more")
    with pytest.raises(MigrationError, match=r"0001_one\.sql was changed"):
        pending([changed, TWO], recorded(ONE))


def test_pending_refuses_a_database_that_is_newer_than_the_program() -> None:
    with pytest.raises(MigrationError, match="0003, which this version does not know"):
        pending([ONE, TWO], recorded(ONE, TWO, THREE))


def test_pending_refuses_a_file_numbered_below_what_is_applied() -> None:
    with pytest.raises(MigrationError, match=r"0002_two\.sql is numbered below"):
        pending([ONE, TWO, THREE], recorded(ONE, THREE))
