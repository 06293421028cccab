"""Live demo traffic: what the model says happens now, sent each second as Fluent Bit would send it."""

from __future__ import annotations

import argparse
import logging
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from demo.draw import epoch_us
from demo.incidents import Plan, planted
from demo.model import RATE_PER_S, Request, iso, requests
from demo.orders import Orders, as_ordered
from demo.shipper import Sent, Shipper
from demo.wire import chunk

FLUSH_S = 1.0
# Long enough that nobody waits for the end of it.
HORIZON = timedelta(days=365)
REPEATS = 1_000

log = logging.getLogger(__name__)


def run_live(
    url: str,
    stop: threading.Event,
    *,
    seed: int,
    rate: float = RATE_PER_S,
    token: str | None = None,
    start: datetime | None = None,
    plan: Plan | None = None,
    orders: Orders | None = None,
) -> Sent:
    """Send live traffic until `stop` is set, whatever the server does, and return what became of it.

    Args:
        url: The ingest server; without a path, its `/log/ingest`.
        stop: Ends the traffic within about a second.
        seed: Which traffic; with the seed of a backfill it goes on where that ended.
        rate: Mean requests per second of a working day.
        token: Sent as `Authorization: Bearer`.
        start: First moment; one in the past is caught up with in the first flush. Default: now.
        plan: Incidents; by default those somebody who looks now should find, repeated every few hours.
        orders: Trouble on command; default: none.
    """
    start = start or datetime.now(UTC)
    plan = planted(start, repeats=REPEATS) if plan is None else plan
    # Spreads retries and ordered failures only; nothing depends on its quality.
    chance = random.Random(seed)  # noqa: S311
    shipper = Shipper(url, token, chance)
    flow = Flow(requests(start, start + HORIZON, seed, rate=rate, plan=plan))
    while not stop.wait(FLUSH_S):
        happened = flow.until(datetime.now(UTC))
        _flush(shipper, as_ordered(happened, orders.incidents() if orders else (), chance))
    _flush(shipper, [])
    if shipper.pending():
        log.warning("%d records were not delivered before the end", shipper.pending())
    shipper.close()
    return shipper.sent


class Flow:
    """The requests of a stream, taken as time passes."""

    def __init__(self, stream: Iterator[Request]) -> None:
        """Read from a stream in time order, one request ahead."""
        self._stream = stream
        self._ahead = next(stream, None)

    def until(self, moment: datetime) -> list[Request]:
        """Return what happened before `moment` and has not been returned yet."""
        limit = iso(epoch_us(moment))
        happened: list[Request] = []
        while self._ahead is not None and self._ahead.timestamp < limit:
            happened.append(self._ahead)
            self._ahead = next(self._stream, None)
        return happened


def _flush(shipper: Shipper, happened: list[Request]) -> None:
    by_service: dict[str, list[Request]] = defaultdict(list)
    for request in happened:
        by_service[request.service].append(request)
    now_s = time.monotonic()
    for service, records in by_service.items():
        shipper.offer(chunk(f"demo.{service}", records), now_s)
    shipper.flush(now_s)


def main(arguments: list[str] | None = None) -> None:
    """Send live traffic until a signal."""
    parser = argparse.ArgumentParser(prog="python -m demo.live", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="ingest server (default: %(default)s)")
    parser.add_argument("--token", help="one of the server's INGEST_TOKENS")
    parser.add_argument("--seed", type=int, default=1, help="which traffic (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="mean requests a second (default: %(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sent = run_live(options.url, stop, seed=options.seed, rate=options.rate, token=options.token)
    log.info("%d records delivered, %d dropped, %d attempts repeated", sent.delivered, sent.dropped, sent.retries)


if __name__ == "__main__":
    main()
