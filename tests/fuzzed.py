"""Requests that nobody thought of, each made from its number."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

import cramjam

SEED = 20150517
MOST_BYTES = 1_048_576  # of a body; some are larger

METHODS = ["POST"] * 14 + ["PUT", "PUT", "GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"]
BAD_LENGTHS = ["-1", "x", "99999999999999999999", "9" * 5000, str(10**9), "0", "", "1e3", "0x10"]
BAD_METHODS = ["post", "FOO", "P\x00ST", "", "POST POST", "\xff"]
PATHS = ["/log/ingest"] * 12 + ["/log/ingest/"] * 3 + ["/healthz", "/readyz", "/metrics", "/", "/log", "//log/ingest"]
ODD_PATHS = [
    "*",
    "/log/ingest/../ingest",
    "/%6cog/ingest",
    "http://host/log/ingest",
    "/log/ingest;a=b",
    "/" + "x" * 9000,
]
ENCODINGS = ["gzip", "deflate", "snappy", "zstd", "br", "identity", "x-gzip", "gzip, zstd", "GZIP", ",", "utf-8"]
TYPES = [
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/msgpack",
    "multipart/form-data",
    "\xff/\x80",
]
WORDS = [
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "1e999",
    "NaN",
    '""',
    '"\\u0000"',
    '"\\ud83d"',
    '"\x7f"',
    "9" * 400,
    '"-"',
    "0.1",
]
NAMES = ["timestamp", "method", "path", "status", "latency_ms", "request_time", "bytes", "client_ip", "host", "agent"]
NAMES += [
    "referer",
    "service",
    "_id",
    "file",
    "offset",
    "source_host",
    "date",
    "log",
    "message",
    "extra",
    "",
    "\\u0000",
]
LINES = [
    b'1.2.3.4 - - [02/Jun/2024:10:15:30 +0000] "GET /b HTTP/1.1" 200 1 "-" "curl"',
    b"2024-06-02T10:15:30Z GET /b 200 5ms",
    b"[error] it failed",
    "로그 한 줄".encode(),
    b"\x00\xff\xfe\r",
]


@dataclass(frozen=True)
class Fuzzed:
    """A request as bytes.

    Attributes:
        whole: it is HTTP, and the server owes an answer.
        cut: it ends too early, and the server owes nothing.
    """

    head: bytes
    body: bytes
    method: str
    whole: bool
    cut: bool


def record(of: random.Random) -> bytes:
    fields = {
        "timestamp": '"2024-06-02T10:15:30Z"',
        "method": '"GET"',
        "path": f'"/item/{of.randrange(99)}"',
        "status": "200",
    }
    for _ in range(of.choice([0, 0, 0, 1, 3])):
        fields[of.choice(NAMES)] = of.choice(WORDS)
    if of.random() < 0.2:
        fields |= {"file": '"/a.log"', "offset": str(of.randrange(20)), "source_host": f'"web-{of.randrange(2)}"'}
    if of.random() < 0.2:
        fields["_id"] = f'"{of.randrange(20)}"'
    if of.random() < 0.05:
        fields["service"] = f'"{"s" * of.randrange(5000)}"'
    if of.random() < 0.02:
        fields["deep"] = "[" * 2000 + "]" * 2000
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode("utf-8", "replace")


def content(of: random.Random) -> bytes:
    kind = of.random()
    some = [record(of) for _ in range(of.choice([0, 1, 1, 2, 5, 80]))]
    if kind < 0.45:
        body = of.choice([b"\n", b"", b"\r\n", b" "]).join(some)
    elif kind < 0.65:
        body = b"[" + b",".join(some) + of.choice([b"]", b"]", b",]", b""])
    elif kind < 0.8:
        body = b"\n".join(of.choice([*LINES, *some]) for _ in range(of.randrange(6)))
    elif kind < 0.9:
        body = of.choice([b"\x92\xd7\x00", b"\xdd\xff\xff\xff\xff", b"\x82", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b""])
        body += of.randbytes(of.randrange(200))
    else:
        body = of.choice([b"", b" ", b"{" * 3000, b"[" * 3000, b'{"a":', b"\xef\xbb\xbf{}", b"x" * (MOST_BYTES + 1)])
    if of.random() < 0.2 and body:
        at = of.randrange(len(body))
        body = body[:at] + of.randbytes(of.randrange(4)) + body[at + of.randrange(4) :]
    return body


def encoded(of: random.Random, body: bytes) -> tuple[bytes, str | None]:
    """The body and the name of its encoding, which is now and then another's."""
    ways = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "snappy": lambda plain: bytes(cramjam.snappy.compress_raw(plain)),
        "bomb": lambda _: gzip.compress(bytes(4 * MOST_BYTES)),
    }
    if of.random() < 0.6:
        return body, None if of.random() < 0.9 else of.choice(ENCODINGS)
    name = of.choice(list(ways))
    body = ways[name](body)
    if of.random() < 0.2:
        body = body[: of.randrange(len(body) + 1)]
    return body, of.choice(ENCODINGS) if of.random() < 0.15 else "gzip" if name == "bomb" else name


def headers(of: random.Random) -> Iterator[tuple[str, str]]:
    choices = {
        "Content-Type": TYPES,
        "X-Fluent-Tag": ["web", "\xff\xfe", "t" * 3000, "", " a\tb "],
        "X-Tag": ["tag", "\xed\xa0\x80"],
        "Idempotency-Key": ["k", "\xff", "k" * 2000, ""],
        "Authorization": ["Bearer x", "Basic !!!", "Basic", "\xff"],
        "X-API-Key": ["", "\xff"],
        "X-Forwarded-For": ["9.9.9.9", "\xff", "::1", "a, b, c"],
        "Accept-Encoding": ["br"],
        "Range": ["bytes=5-1"],
        "Upgrade": ["websocket"],
        "X-" + "N" * of.randrange(1, 40): ["v" * of.choice([1, 1000, 70_000])],
    }
    for name in of.sample(list(choices), of.choice([0, 0, 1, 1, 2, 4])):
        yield name, of.choice(choices[name])


def query(of: random.Random) -> str:
    odd = quote_from_bytes(of.randbytes(6))
    return of.choice(
        ["", "?service=fuzz", "?service=fuzz", f"?service={odd}", "?service=" + "q" * 3000, "?&&=&", "?%zz", f"?{odd}"]
    )


def chunked(of: random.Random, body: bytes) -> bytes:
    chunks, at = [], 0
    while at < len(body):
        size = of.randrange(1, 1 + max(1, len(body) // 2))
        chunks.append(b"%x\r\n%b\r\n" % (len(body[at : at + size]), body[at : at + size]))
        at += size
    return b"".join(chunks) + b"0\r\n\r\n"


def request(n: int) -> Fuzzed:
    of = random.Random(SEED + n)
    odd = of.random()
    method, path = of.choice(METHODS), of.choice(PATHS) + query(of)
    if odd < 0.05:
        method = of.choice(BAD_METHODS)
    elif odd < 0.1:
        path = of.choice(ODD_PATHS)
    body, encoding = encoded(of, content(of))
    given = [("Host", "localhost"), *headers(of)]
    if encoding is not None:
        given.append(("Content-Encoding", encoding))
    flood = sum(len(value) for _, value in given) > 10_000
    if flood:
        path = "/healthz"  # too long a head is hung up on, and then nobody can tell what was stored
    length = len(body)
    if of.random() < 0.75:
        given.append(("Content-Length", str(length)))
    else:
        given.append(("Transfer-Encoding", "chunked"))
        body = chunked(of, body)
    cut = 0.8 <= odd < 0.9 and bool(body)
    if 0.9 <= odd < 0.95:
        given[-1] = ("Content-Length", of.choice(BAD_LENGTHS))
    elif odd >= 0.95:
        given.append(("Content-Length", str(of.randrange(2 * length + 2))))
    whole = 0.1 <= odd < 0.8 and not flood
    version = "HTTP/1.1" if whole or cut else of.choice(["HTTP/1.1", "HTTP/1.0", "HTTP/9", ""])
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in given)]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if cut and odd < 0.87:
        body = body[: of.randrange(len(body))]
    elif cut:
        head, body = head[: of.randrange(len(head))], b""
    return Fuzzed(head, body, method, whole, cut)
