"""What a call costs, and how many tokens it has at most."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashapp.ai.prices import DEFAULT_PRICES, Tokens, cost_usd
from dashapp.ai.tokens import rough_tokens


@pytest.mark.parametrize(
    ("model", "cost"),
    [("gpt-4o-mini", "0.00075"), ("gpt-4o-mini-2024-07-18", "0.00075"), ("gpt-4o-2024-08-06", "0.0125"),
     ("gpt-4o-minimal", None), ("llama3", None)],
)  # fmt: skip
def test_a_call_costs_what_its_model_does(model: str, cost: str | None) -> None:
    assert cost_usd(model, Tokens(1000, 1000), DEFAULT_PRICES) == (None if cost is None else Decimal(cost))


# Counted with o200k_base, the tokenizer of the models whose prices are known.
@pytest.mark.parametrize(
    ("text", "tokens"),
    [("hello world", 2), ("GET /api/order/checkout", 6), ("12,345", 3), ("error_rate 15.5%[e12]", 11),
     ("전체 요청 8,460건[e1] 가운데 오류는 41건[e2]입니다.", 21)],
)  # fmt: skip
def test_never_fewer_tokens_than_a_tokenizer_counts(text: str, tokens: int) -> None:
    assert rough_tokens(text) >= tokens
