"""How much is let in at once."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ingest_server.admission import Admission, Overloaded


def test_admitted_holds_its_room_until_the_end() -> None:
    admission = Admission()
    with admission.admitted(100):
        with admission.admitted(20):
            assert (admission.requests, admission.bytes) == (2, 120)
        assert (admission.requests, admission.bytes) == (1, 100)
    assert (admission.requests, admission.bytes) == (0, 0)


def test_admitted_gives_its_room_back_after_a_failure() -> None:
    admission = Admission()
    with pytest.raises(RuntimeError), admission.admitted(100):
        raise RuntimeError
    assert (admission.requests, admission.bytes) == (0, 0)


def test_admitted_refuses_one_request_too_many() -> None:
    admission = Admission(most_requests=3)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(admission.admitted(0))
        with pytest.raises(Overloaded), admission.admitted(0):
            pytest.fail("it was let in")
        assert admission.requests == 3
    with admission.admitted(0):
        assert admission.requests == 1


def test_admitted_refuses_one_byte_too_many() -> None:
    admission = Admission(most_bytes=100)
    with admission.admitted(60):
        with admission.admitted(40):
            assert admission.bytes == 100
        with pytest.raises(Overloaded), admission.admitted(41):
            pytest.fail("it was let in")
        assert (admission.requests, admission.bytes) == (1, 60)


def test_admitted_always_lets_one_body_in_alone() -> None:
    admission = Admission(most_bytes=100)
    with admission.admitted(1000):
        with pytest.raises(Overloaded), admission.admitted(1):
            pytest.fail("it was let in")
        assert admission.bytes == 1000
    with admission.admitted(0), admission.admitted(1000):
        assert admission.bytes == 1000


def test_admitted_refuses_without_any_room_at_all() -> None:
    with pytest.raises(Overloaded), Admission(most_requests=0).admitted(0):
        pytest.fail("it was let in")
