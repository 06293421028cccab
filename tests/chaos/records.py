"""Numbered records and the bodies that carry them: as Fluent Bit writes them, in three formats. No I/O."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

# False: a server that knows a body again only as a whole. Then records are never cut into other bodies, and
# those with file and offset travel under an Idempotency-Key.
IDENTITY_PER_RECORD = True

PATH_PREFIX = "/chaos/"
MOST_RECORDS = 2000
# Share of bodies, and the least and most records of one.
_SIZES = ((0.2, 1, 1), (0.6, 2, 20), (0.17, 21, 150), (0.03, 151, MOST_RECORDS))
_GZIP_SHARE, _OLD_SHARE = 0.3, 0.1
_OLDEST_DAYS = 3
_LINE_BYTES = 180
_LEAST_BETWEEN_ROTATIONS = timedelta(seconds=2)
_FILES, _HOSTS = 3, 2


class Identity(StrEnum):
    """What the server can know a record again by."""

    ID = "id"  # every record has `_id`, Fluent Bit's uuid_key
    PLACE = "place"  # every record has file, offset and source_host
    KEY = "key"  # the body has an Idempotency-Key


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is sent, whatever body it is in."""

    number: int
    text: bytes


@dataclass(slots=True)
class Chunk:
    """A body on its way. It never changes: a retry is byte-identical."""

    identity: Identity
    records: tuple[Record, ...]
    body: bytes
    headers: dict[str, str]
    attempts: int = 0

    @property
    def may_be_cut(self) -> bool:
        """Whether its records may travel in other bodies too."""
        return IDENTITY_PER_RECORD and self.identity is not Identity.KEY


@dataclass(slots=True)
class _File:
    """A log file that grows, and starts at offset 0 again under the same name when it is rotated."""

    name: str
    host: str
    offset: int = 0
    rotated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class RecordMaker:
    """Makes records with numbers from 0 upwards, and bodies of them. For one thread at a time."""

    def __init__(self, rng: random.Random, *, scale: float = 1.0) -> None:
        """Draw everything from `rng`; `scale` shrinks the larger bodies for a slow database."""
        self._rng = rng
        self._scale = scale
        self.issued = 0
        self._files = [
            _File(f"/var/log/nginx/access-{file}.log", f"web-{host}")
            for file in range(_FILES)
            for host in range(_HOSTS)
        ]

    def chunk(self, *, count: int | None = None) -> Chunk:
        """Return a body of new records, of a random kind and size unless `count` says how many."""
        identity = self._rng.choice(list(Identity))
        return self.pack(identity, self.records(identity, self._size() if count is None else count))

    def records(self, identity: Identity, count: int) -> tuple[Record, ...]:
        """Return new records."""
        moment = datetime.now(UTC)
        if identity is Identity.PLACE:
            file = self._rng.choice(self._files)
            return tuple(self._line(file, moment) for _ in range(count))
        if self._rng.random() < _OLD_SHARE:
            moment -= timedelta(days=self._rng.uniform(0, _OLDEST_DAYS))
        return tuple(self._canonical(identity, moment) for _ in range(count))

    def pack(self, identity: Identity, records: tuple[Record, ...]) -> Chunk:
        """Put records into a body, in one of Fluent Bit's formats."""
        texts = [record.text for record in records]
        form = self._rng.choice(("json", "json_lines", "json_stream"))
        headers = {"Content-Type": "application/x-ndjson" if form == "json_lines" else "application/json"}
        body = {
            "json": b"[" + b",".join(texts) + b"]",
            "json_lines": b"".join(text + b"\n" for text in texts),
            "json_stream": b"".join(texts),
        }[form]
        if self._rng.random() < _GZIP_SHARE:
            # No time in the header: a retry of Fluent Bit compresses to the same bytes.
            body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1, mtime=0), "gzip"
        if identity is Identity.KEY or (identity is Identity.PLACE and not IDENTITY_PER_RECORD):
            headers["Idempotency-Key"] = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        return Chunk(
            identity, records, body, headers | {"User-Agent": "Fluent-Bit", "X-Fluent-Tag": f"chaos.{identity}"}
        )

    def cut(self, chunk: Chunk) -> list[Chunk]:
        """Return other bodies with the same records: in two parts, or together with new ones."""
        records = list(chunk.records)
        if len(records) > 1 and self._rng.random() < 0.5:
            self._rng.shuffle(records)
            at = self._rng.randrange(1, len(records))
            return [self.pack(chunk.identity, tuple(part)) for part in (records[:at], records[at:])]
        return [self.again(chunk, share=1.0)]

    def again(self, chunk: Chunk, *, share: float) -> Chunk:
        """Return a body of a share of the same records and a few new ones, as after a file was read again."""
        some = self._rng.sample(chunk.records, max(1, round(len(chunk.records) * share)))
        new = self.records(chunk.identity, self._rng.randint(1, 20))
        return self.pack(chunk.identity, tuple(some[: MOST_RECORDS - len(new)]) + new)

    def _size(self) -> int:
        drawn = self._rng.random()
        for share, least, most in _SIZES:
            drawn -= share
            if drawn < 0:
                return self._rng.randint(least, max(least, round(most * self._scale)))
        return 1

    def _next_number(self) -> int:
        self.issued += 1
        return self.issued - 1

    def _canonical(self, identity: Identity, moment: datetime) -> Record:
        number = self._next_number()
        # Some share a microsecond, most do not.
        value = {
            "timestamp": (moment + timedelta(microseconds=number % 1000)).isoformat(),
            "service": f"shop-{number % 3}",
            "method": self._rng.choice(("GET", "POST")),
            "path": f"{PATH_PREFIX}{number}",
            "status": self._rng.choice((200, 200, 200, 404, 500)),
            "latency_ms": round(self._rng.expovariate(1 / 40), 3),
            "bytes": self._rng.randrange(100_000),
            "client_ip": f"10.0.{number % 7}.{number % 251}",
        }
        if identity is Identity.ID:
            value["_id"] = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        return Record(number, json.dumps(value).encode())

    def _line(self, file: _File, moment: datetime) -> Record:
        number = self._next_number()
        if file.offset > 100 * _LINE_BYTES and moment - file.rotated_at > _LEAST_BETWEEN_ROTATIONS:
            file.offset, file.rotated_at = 0, moment
        value = {
            "date": f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z",
            "remote": f"10.1.{number % 7}.{number % 251}",
            "host": "-",
            "user": "-",
            "method": "GET",
            "path": f"{PATH_PREFIX}{number}",
            "code": "200",
            "size": str(number % 5000),
            "referer": "-",
            "agent": "curl/8.1",
            "file": file.name,
            "offset": file.offset,
            "source_host": file.host,
        }
        file.offset += _LINE_BYTES
        return Record(number, json.dumps(value).encode())
