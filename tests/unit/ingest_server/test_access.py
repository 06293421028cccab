"""Who may send."""

from __future__ import annotations

import base64
import gc

import pytest

from ingest_server.access import Access

TOKENS = ("first-token", "second-토큰")
FAR = "203.0.113.9"


def basic(text: str | bytes) -> bytes:
    return b"Basic " + base64.b64encode(text.encode() if isinstance(text, str) else text)


def authorization(value: bytes) -> dict[bytes, bytes]:
    return {b"authorization": value}


@pytest.mark.parametrize(
    "headers",
    [
        authorization(b"Bearer first-token"),
        authorization(b"bearer first-token"),
        authorization(b"BEARER first-token"),
        authorization(b" Bearer   first-token "),
        authorization("Bearer second-토큰".encode()),
        {b"x-api-key": b"first-token"},
        {b"x-api-key": b" first-token "},
        {b"x-api-key": "second-토큰".encode()},
        {b"x-api-key": b"first-token"} | authorization(b"Bearer wrong"),
        authorization(basic("fluent:first-token")),
        authorization(basic("fluent:second-토큰")),
        authorization(basic(":first-token")),
        authorization(basic("fluent:first-token").replace(b"Basic", b"bAsIc")),
    ],
    ids=str,
)
@pytest.mark.parametrize("address", [FAR, "127.0.0.1"])
def test_token_opens_by_each_of_three_ways(headers: dict[bytes, bytes], address: str) -> None:
    assert Access(TOKENS).may_send(headers, address)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-api-key": b""},
        {b"x-api-key": b" "},
        {b"x-api-key": b"wrong"},
        {b"x-api-key": b"first-toke"},
        {b"x-api-key": b"first-token,second"},
        {b"x-api-key": b"First-Token"},
        authorization(b""),
        authorization(b"Bearer"),
        authorization(b"Bearer "),
        authorization(b"Bearer wrong"),
        authorization(b"Bearer first-token second"),
        authorization(b"first-token"),
        authorization(b"Token first-token"),
        authorization(b"Digest first-token"),
        authorization(b"Basic"),
        authorization(b"Basic first-token"),
        authorization(b"Basic !!!!"),
        authorization(b"Basic \xff\xfe\x80\x81"),
        authorization(b"Basic " + base64.b64encode(b"fluent:first-token").rstrip(b"=") + b"A="),
        authorization(basic("first-token")),
        authorization(basic("first-token:")),
        authorization(basic("first-token:wrong")),
        authorization(basic(b"\xff\xfe:\x80")),
        {b"cookie": b"first-token"},
    ],
    ids=str,
)
@pytest.mark.parametrize("address", [FAR, "127.0.0.1", "::1"])
def test_anything_else_does_not_open_not_even_on_this_machine(headers: dict[bytes, bytes], address: str) -> None:
    access = Access(TOKENS)
    assert not access.may_send(headers, address)
    assert "INGEST_TOKENS" in access.why_not()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "0:0:0:0:0:0:0:1"])
def test_without_tokens_this_machine_may_send(address: str) -> None:
    assert Access(()).may_send({}, address)
    assert Access(()).may_send(authorization(b"Bearer anything"), address)


@pytest.mark.parametrize(
    "address",
    [
        *(FAR, "10.0.0.1", "0.0.0.0", "2001:db8::1", "fe80::1", "::", "::ffff:10.0.0.1"),  # noqa: S104
        *("localhost", "unknown", "", "127.0.0.1.evil.test", "127.1", "\x00"),
    ],
)
def test_without_tokens_nobody_else_may_send(address: str) -> None:
    access = Access(())
    assert not access.may_send({}, address)
    assert not access.may_send({b"x-forwarded-for": b"127.0.0.1", b"host": b"localhost"}, address)
    assert "this machine" in access.why_not()


def test_only_digests_of_tokens_are_kept() -> None:
    access = Access(["a-secret-that-is-nowhere-else"])
    kept: list[object] = [access]
    seen: set[int] = set()
    while kept:
        one = kept.pop()
        if id(one) not in seen and isinstance(one, Access | dict | list | tuple | str | bytes):
            seen.add(id(one))
            assert "a-secret" not in repr(one)
            kept.extend(gc.get_referents(one) if not isinstance(one, Access) else [vars(one)])
    assert len(seen) > 3


def test_refusal_does_not_tell_a_token() -> None:
    assert "first-token" not in Access(TOKENS).why_not()
