"""`accessboard import` of a combined log, against GoAccess reading the same file."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.bodies import BROWSER
from bench.report import report

LINES = int(os.environ.get("BENCH_LINES", "500000"))
SECONDS_A_DAY = 86_400


def measure(dsn: str) -> None:
    """Print lines/s of both; GoAccess only where it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "access.log"
        _write(log)
        took = _seconds([sys.executable, "-m", "accessboard", "import", str(log)], DATABASE_URL=dsn)
        again = _seconds([sys.executable, "-m", "accessboard", "import", str(log)], DATABASE_URL=dsn)
        baseline = None
        if goaccess := shutil.which("goaccess"):
            command = [goaccess, str(log), "--log-format=COMBINED", "--no-global-config", "-o", f"{folder}/out.json"]
            baseline = LINES / _seconds(command)
    report("import of a combined log", LINES / took, "lines/s", baseline, "GoAccess" if baseline else None)
    report("the same file imported again: every line known", LINES / again, "lines/s")


def _write(log: Path) -> None:
    random_ = random.Random(1)  # noqa: S311
    start = datetime.now(UTC) - timedelta(days=1)
    agents = [f"{BROWSER}/{90 + i}.0 Safari/537.36" for i in range(60)]
    with log.open("w") as file:
        for i in range(LINES):
            moment = (start + timedelta(seconds=i * SECONDS_A_DAY // LINES)).strftime("%d/%b/%Y:%H:%M:%S +0000")
            number = random_.randrange(20_000)
            file.write(
                f"10.0.{number >> 8 & 255}.{number & 255} - - [{moment}] "
                f'"GET /shop/item{int(random_.paretovariate(0.7)) % 500:x}/{random_.randrange(10**6)} HTTP/1.1" '
                f'{random_.choice((200, 200, 304, 404))} {random_.randrange(100_000)} "-" "{random_.choice(agents)}"\n'
            )


def _seconds(command: list[str], **environment: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, check=True, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - started
