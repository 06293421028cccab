"""What a call costs, by a table of prices in settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

Prices = Mapping[str, tuple[float, float]]
# US dollars for a million tokens of input and of output, as the makers list them.
DEFAULT_PRICES: dict[str, tuple[float, float]] = {
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4o": (2.50, 10.00),
    "gpt-4.1": (2.00, 8.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-5": (1.25, 10.00),
    "gpt-5-mini": (0.25, 2.00),
    "gpt-5-nano": (0.05, 0.40),
}
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that went in and came out."""

    input: int = 0
    output: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        """Those of both."""
        return Tokens(self.input + other.input, self.output + other.output)


def cost_usd(model: str, tokens: Tokens, prices: Prices) -> Decimal | None:
    """What a call costs in US dollars; None where the table has no price for the model.

    A dated model, such as gpt-4o-mini-2024-07-18, costs what the model of its name does.
    """
    price = prices.get(model) or next(
        (prices[name] for name in sorted(prices, key=len, reverse=True) if _dated(model, name)), None
    )
    if price is None:
        return None
    each = (Decimal(str(amount)) * count for amount, count in zip(price, (tokens.input, tokens.output), strict=True))
    return sum(each, Decimal(0)) / _MILLION


def _dated(model: str, name: str) -> bool:
    rest = model.removeprefix(f"{name}-")
    return rest != model and rest[:4].isdigit()
