"""The least that storing could cost: processes that parse the same bodies and COPY them, with nothing between.

No HTTP, no check of any field, no identity, no ledger. `python -m bench.floor DSN RECORDS SECONDS`, several at once.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from datetime import datetime

import orjson
import psycopg

from bench.bodies import filled, template

_COLUMNS = "ts, service, method, path, route, status, latency_ms, bytes, client_ip, user_agent, record_key, batch_id"
_COPY = f"copy access_log ({_COLUMNS}) from stdin (format binary)".encode()
_TYPES = (
    "timestamptz", "text", "text", "text", "text", "int2", "float8", "int8", "bytea", "text", "bytea", "int8"
)  # fmt: skip
# inet and uuid as the bytes that their receive functions read: the driver's own objects would take far longer.
_INET = bytes((2, 32, 0, 4))


def main() -> None:
    """Load for some seconds and print what was loaded as JSON."""
    dsn, records, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    templates = [template(records, seed) for seed in range(8)]
    addresses: dict[str, bytes] = {}
    bodies = 0
    with psycopg.connect(dsn, autocommit=True) as connection:
        cpu, started = time.process_time(), time.perf_counter()
        while time.perf_counter() - started < seconds:
            run = (os.getpid() << 12) + bodies
            body = filled(templates[bodies % 8], run & 0xFFFFFFFF)
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for line in body.splitlines():
                    one = orjson.loads(line)
                    client = one["client_ip"]
                    if (address := addresses.get(client)) is None:
                        address = addresses[client] = _INET + socket.inet_aton(client)
                    copy.write_row(
                        (
                            datetime.fromisoformat(one["date"]),
                            one["service"],
                            one["method"],
                            one["path"],
                            one["path"].rpartition("/")[0],
                            one["status"],
                            one["latency_ms"],
                            one["bytes"],
                            address,
                            one["user_agent"],
                            bytes.fromhex(one["_id"].replace("-", "")),
                            0,
                        )
                    )
            bodies += 1
        took = time.perf_counter() - started
    print(json.dumps({"records": bodies * records, "seconds": took, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
