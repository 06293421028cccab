"""Bodies as Fluent Bit sends them: json_lines with `_id` and a live time, about 300 bytes a record."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime

import msgspec

ROUTES, CLIENTS, AGENTS = 500, 20_000, 60
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome"
SERVICES = ("shop", "auth", "pay")
_RUN = "aaaaaaaa"  # replaced in every `_id`, so that no record is sent twice
_SECOND = "2000-01-01T00:00:00"


def template(records: int, seed: int) -> bytes:
    """Return a body whose ids and second are still placeholders."""
    random_ = random.Random(seed)  # noqa: S311
    addresses = [f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}" for i in range(CLIENTS)]
    agents = [
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{90 + i}.0 Safari/537.36" for i in range(AGENTS)
    ]
    lines = []
    for _ in range(records):
        route = min(int(random_.paretovariate(0.7)), ROUTES) - 1
        identity = str(uuid.UUID(int=random_.getrandbits(128)))
        lines.append(
            msgspec.json.encode(
                {
                    "date": f"{_SECOND}.{random_.randrange(10**6):06d}Z",
                    "service": SERVICES[route % 3],
                    "method": random_.choice(("GET", "GET", "GET", "POST")),
                    "path": f"/api/resource{route:x}/{random_.randrange(10**6)}",
                    "status": random_.choice((200,) * 17 + (304, 404, 500)),
                    "latency_ms": round(random_.lognormvariate(3, 1), 3),
                    "bytes": random_.randrange(100_000),
                    "client_ip": addresses[int(CLIENTS * random_.random() ** 3)],
                    "user_agent": random_.choice(agents),
                    "_id": _RUN + identity[8:],
                }
            )
        )
    return b"\n".join(lines) + b"\n"


def filled(body: bytes, run: int) -> bytes:
    """Return a body with ids of its own and the present second."""
    second = datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return body.replace(_RUN.encode(), b"%08x" % run).replace(_SECOND.encode(), second.encode())
