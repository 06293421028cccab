"""`make bench`: one JSON object a line with name, figure, unit, baseline and ratio.

Runs on a database created for it on the server that DATABASE_URL (or TEST_DATABASE_URL) names, which should be a
native one on this machine; without either on the embedded one, where a floor of COPY cannot be measured. Machines
are noisy: read the ratios. `make bench ARGS=ingest` runs a part: ingest, import, viewers, watch, reading or browser.
EVENTS says how many million events are read (1 on the embedded server, else 1,10; 100 takes about 30 GB of disk for a
while); BENCH_DATABASE keeps their databases (see bench/databases.py). `browser` needs no database: it looks at the
demo's.
"""

from __future__ import annotations

import os
import sys

from bench import browser, databases, importing, ingest, prepare, reading, viewers, watching

ON_A_FRESH_ONE = {
    "ingest": ingest.measure,
    "import": importing.measure,
    "viewers": viewers.measure,
    "watch": watching.measure,
}
READING, BROWSER = "reading", "browser"


def main() -> None:
    """Print the figures."""
    for part in sys.argv[1:] or (*ON_A_FRESH_ONE, READING, BROWSER):
        if part == READING:
            read()
        elif part == BROWSER:
            browser.measure()
        else:
            with databases.fresh() as dsn:
                ON_A_FRESH_ONE[part](dsn)


def read() -> None:
    """Measure the read API on databases of several sizes, and how it grows."""
    by_size = {}
    for count in sizes():
        with databases.with_events(count, prepare.prepare) as (dsn, end):
            by_size[count] = reading.measure(dsn, count, end)
    if len(by_size) > 1:
        reading.compare(by_size)


def sizes() -> list[int]:
    """How many events each database has, the smallest first."""
    millions = os.environ.get("EVENTS") or ("1,10" if databases.server() else "1")
    return sorted(int(float(each) * databases.MILLION) for each in millions.split(","))


if __name__ == "__main__":
    main()
