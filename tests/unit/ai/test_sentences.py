"""Sentences, whole and while they arrive."""

from __future__ import annotations

import pytest

from dashapp.ai.checking.sentences import SentenceStream, split_sentences

TEXT = (
    "오류율은 15.5%[e3]입니다. The p95 was 3.04 s. [e4] 원인은 gpt-4.1-mini가 아닙니다!\n"
    "1. 되돌립니다.\n- Check it, e.g. the pool."
)
PARTS = [
    "오류율은 15.5%[e3]입니다.", "The p95 was 3.04 s. [e4]", "원인은 gpt-4.1-mini가 아닙니다!", "되돌립니다.",
    "Check it, e.g. the pool.",
]  # fmt: skip


def test_a_text_is_cut_behind_its_citations() -> None:
    assert split_sentences(TEXT) == PARTS


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_a_stream_gives_the_same_sentences(size: int) -> None:
    stream = SentenceStream()
    found = [each for start in range(0, len(TEXT), size) for each in stream.add(TEXT[start : start + size])]
    assert [*found, *stream.end()] == PARTS


def test_a_text_without_an_end_comes_out_in_pieces() -> None:
    stream = SentenceStream()
    assert stream.add("x" * 2_000) == ["x" * 2_000]
    assert stream.end() == []
