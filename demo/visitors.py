"""The people and programs that use the target server of the container demo, at the rhythm of the model."""

from __future__ import annotations

import argparse
import http.client
import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

from demo.incidents import planted
from demo.live import HORIZON, Flow
from demo.model import RATE_PER_S, Request, requests
from demo.target_server import LOOKS_AFTER, REPEATS

PAUSE_S = 0.25
AT_ONCE = 24
TIMEOUT_S = 15.0

log = logging.getLogger(__name__)


class Visitors:
    """Calls that go out at their time; a call that finds too many others under way is left out."""

    def __init__(self, url: str) -> None:
        """Call the server at `url`."""
        self._url = url
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="visitor")
        self._away = False
        self.answered = 0

    def call(self, wanted: Request) -> None:
        """Make a call without waiting for its answer."""
        if self._places.acquire(blocking=False):
            self._pool.submit(self._call, wanted)

    def close(self) -> None:
        """Wait for the calls under way."""
        self._pool.shutdown()

    def _call(self, wanted: Request) -> None:
        try:
            visit(self._url, wanted)
        except (OSError, http.client.HTTPException) as error:
            if not self._away:
                log.warning("%s does not answer: %s", self._url, error)
            self._away = True
        else:
            if self._away:
                log.info("%s answers again", self._url)
            self._away = False
            self.answered += 1
        finally:
            self._places.release()


def visit(url: str, wanted: Request) -> int:
    """Call a server as the client of a drawn request would, and return the status of the answer."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=TIMEOUT_S)
    sent = {"User-Agent": wanted.user_agent, "X-Forwarded-For": wanted.client_ip}
    if wanted.referer:
        sent["Referer"] = wanted.referer
    body = None
    if wanted.method in ("POST", "PUT"):
        sent["Content-Type"], body = "application/json", b"{}"
    try:
        connection.request(wanted.method, wanted.path, body, sent)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer.status


def run_visitors(url: str, stop: threading.Event, *, seed: int, rate: float = RATE_PER_S) -> int:
    """Call the target until `stop` is set; return how many calls were answered.

    Args:
        url: The target server.
        stop: Ends the visits.
        seed: Which traffic.
        rate: Mean requests per second of a working day.
    """
    start = datetime.now(UTC)
    plan = planted(start + LOOKS_AFTER, repeats=REPEATS)
    flow = Flow(requests(start, start + HORIZON, seed, rate=rate, plan=plan))
    visitors = Visitors(url)
    while not stop.wait(PAUSE_S):
        for wanted in flow.until(datetime.now(UTC)):
            visitors.call(wanted)
    visitors.close()
    return visitors.answered


def main(arguments: list[str] | None = None) -> None:
    """Visit the target until a signal."""
    parser = argparse.ArgumentParser(prog="python -m demo.visitors", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:5000", help="target server (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which traffic (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="mean requests a second (default: %(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    answered = run_visitors(options.url, stop, seed=options.seed, rate=options.rate)
    log.info("%d calls answered", answered)


if __name__ == "__main__":
    main()
