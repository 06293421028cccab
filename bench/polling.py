"""Viewers in a process of their own: each sends its requests again and again, on kept connections, at fixed moments.

`python -m bench.polling FILE`: FILE is JSON, `{"port", "every", "seconds", "viewers": [[{"method", "path", "body",
"expected"}]]}`. Requests of a viewer go out side by side, as a browser's do; an answer without `expected` is an error.
Times count from the moment a request was due, so a viewer who had to wait for the answer before is not forgotten.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OK = b" 200 "
HEAD_END = b"\r\n\r\n"
LIMIT = 2**24
PATIENCE_S = 60


class Asked(NamedTuple):
    """A request as it goes over the wire, and what its answer must hold."""

    wire: bytes
    expected: bytes


class Figures(NamedTuple):
    """Median and 95th percentile; 0 without any time."""

    p50: float
    p95: float
    most: float


def figures(seconds: Sequence[float]) -> Figures:
    """Figures in milliseconds; the 95th percentile is the smallest time that 95 % do not exceed."""
    if not seconds:
        return Figures(0.0, 0.0, 0.0)
    ordered = sorted(seconds)
    p50, p95 = (1000 * ordered[max(0, -(-len(ordered) * percent // 100) - 1)] for percent in (50, 95))
    return Figures(p50, p95, 1000 * ordered[-1])


def wire(method: str, path: str, body: str) -> bytes:
    """One HTTP request on a kept connection."""
    content = body.encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content


class Polling:
    """What some viewers saw."""

    def __init__(self, port: int, every: float, seconds: float) -> None:
        """Nobody looks yet."""
        self._port = port
        self._every = every
        self._seconds = seconds
        self.first: list[float] = []
        self.all: list[float] = []
        self.errors: Counter[str] = Counter()
        self.bytes = 0

    async def run(self, viewers: Sequence[Sequence[Asked]]) -> None:
        """Let everybody look, spread evenly over the interval."""
        began = time.perf_counter()
        await asyncio.gather(
            *(
                self._look(requests, began + number * self._every / len(viewers), began + self._seconds)
                for number, requests in enumerate(viewers)
            )
        )

    async def _look(self, requests: Sequence[Asked], due: float, until: float) -> None:
        browser = [_Connection(self._port) for _ in requests]
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            done = await asyncio.gather(
                *(self._ask(connection, one) for connection, one in zip(browser, requests, strict=True))
            )
            self.first.append(done[0] - due)
            self.all.append(max(done) - due)
            due += self._every
        for connection in browser:
            connection.close()

    async def _ask(self, connection: _Connection, asked: Asked) -> float:
        try:
            status, body = await asyncio.wait_for(connection.ask(asked.wire), PATIENCE_S)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            connection.close()
            self.errors[type(error).__name__] += 1
        else:
            self.bytes += len(body)
            if OK not in status:
                self.errors[status.decode(errors="replace")] += 1
            elif asked.expected not in body:
                self.errors[f"no {asked.expected.decode()} in the answer"] += 1
        return time.perf_counter()


class _Connection:
    """A connection that is opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Status line and body of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(HEAD_END)
        status, *fields = head.split(b"\r\n")
        sizes = [line.partition(b":")[2] for line in fields if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(sizes[0]))
        if any(line.lower() == b"connection: close" for line in fields):
            self.close()
        return status, body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def main() -> None:
    """Run the viewers and print what they saw as JSON."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    viewers = [
        [Asked(wire(one["method"], one["path"], one["body"]), one["expected"].encode()) for one in requests]
        for requests in plan["viewers"]
    ]
    polling = Polling(plan["port"], plan["every"], plan["seconds"])
    cpu = time.process_time()
    asyncio.run(polling.run(viewers))
    first, whole = figures(polling.first), figures(polling.all)
    print(
        json.dumps(
            {
                "polls": len(polling.first),
                "errors": dict(polling.errors),
                "p50_ms": first.p50,
                "p95_ms": first.p95,
                "max_ms": first.most,
                "all_p95_ms": whole.p95,
                "kilobytes": polling.bytes / 1000 / max(1, len(polling.first)),
                "cpu": time.process_time() - cpu,
            }
        )
    )


if __name__ == "__main__":
    main()
