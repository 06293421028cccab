"""A client in a process of its own: sends bodies on a few connections and times the answers.

`python -m bench.load URL RECORDS CONNECTIONS SECONDS RATE PATH`: RATE is in records/s, 0 for as fast as answers come.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import threading
import time
from itertools import count
from urllib.parse import urlsplit

from bench.bodies import filled, template

TEMPLATES = 8


class _Load:
    def __init__(self, url: str, records: int, rate: float) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._path = parts.path
        self._single = records == 1
        self._templates = [template(records, seed) for seed in range(TEMPLATES if records > 1 else 200)]
        self._interval = records / rate if rate else 0.0
        self._runs = count(os.getpid() << 12 & 0xFFFFFFFF)
        self._turns = count()
        self.seconds: list[float] = []

    def send(self, until: float) -> None:
        """Send on one connection until the moment comes, one body after the other."""
        with socket.create_connection(self._address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter()
            while time.perf_counter() < until:
                turn, run = next(self._turns), next(self._runs)
                if self._interval:
                    due = began + turn * self._interval
                    time.sleep(max(0.0, due - time.perf_counter()))
                body = filled(self._templates[turn % len(self._templates)], run & 0xFFFFFFFF)
                self._send_one(connection, body)

    def _send_one(self, connection: socket.socket, body: bytes) -> None:
        kind = b"application/json" if self._single else b"application/x-ndjson"
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: {kind.decode()}\r\nUser-Agent: bench\r\nConnection: keep-alive\r\n\r\n"
        ).encode()
        started = time.perf_counter()
        connection.sendall(head + body)
        answer = b""
        while not answer.rstrip().endswith(b"}"):
            select.select([connection], [], [], 60)
            part = connection.recv(65536)
            if not part:
                raise SystemExit(f"the server closed the connection: {answer!r}")
            answer += part
        if b" 200 " not in answer[:20] and b" 201 " not in answer[:20]:
            raise SystemExit(f"refused: {answer[:200]!r}")
        self.seconds.append(time.perf_counter() - started)


def main() -> None:
    """Run the client and print what it saw as JSON."""
    url, records, connections, seconds, rate = sys.argv[1], *map(float, sys.argv[2:6])
    load = _Load(url, int(records), rate)
    cpu, started = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=load.send, args=(started + seconds,)) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    times = sorted(load.seconds)
    if not times:
        raise SystemExit("no answer at all")
    print(
        json.dumps(
            {
                "records": len(times) * int(records),
                "seconds": took,
                "cpu": time.process_time() - cpu,
                "p50_ms": 1000 * times[len(times) // 2],
                "p99_ms": 1000 * times[int(len(times) * 0.99)],
            }
        )
    )


if __name__ == "__main__":
    main()
