"""`python -m tests.newcomer FOLDER`: clone this checkout into an empty folder, and follow its pages word for word."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tests.newcomer.blocks import blocks_of
from tests.newcomer.place import Place
from tests.newcomer.walk import NOT_TYPED, STEPS, clone, follow_all, gone, untold

ROOT = Path(__file__).parents[2]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Follow README.md and docs/ in FOLDER, which must be empty; ports 8000 and 8050 must be free."""
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty")
    checkout = clone(ROOT, folder.resolve())
    blocks = list(blocks_of(checkout))
    failed = [f"{name}: neither followed nor explained" for name in untold(blocks)]
    failed += [f"{name}: stands on no page" for name in gone(blocks)]
    passed = 0
    for name, wrong in follow_all(Place(checkout), blocks, STEPS):
        click.echo(f"{'ok   ' if wrong is None else 'WRONG'} {name}")
        if wrong is None:
            passed += 1
        else:
            failed.append(f"{name}: {wrong}")
    for name, why in NOT_TYPED.items():
        click.echo(f"--    {name} ({why})")
    click.echo("\n".join(failed))
    click.echo(f"{passed} passed, {len(failed)} failed, {len(NOT_TYPED)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
