"""What can go wrong with a model's server, by name. Pure."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "no_key",
    "wrong_key",
    "forbidden",
    "unknown_model",
    "bad_request",
    "rate_limited",
    "no_quota",
    "server_error",
    "timeout",
    "no_network",
    "cut_off",
    "empty",
    "not_json",
    "bad_shape",
    "refusal",
    "broken_stream",
    "no_structured_output",
    "no_tools",
    "cancelled",
    "budget",
    "per_minute",
    "interrupted",
    "no_data",
]
# What an API answers with; what is the server's fault is a bad gateway.
STATUS: dict[Reason, int] = {
    "no_key": 503,
    "budget": 429,
    "per_minute": 429,
    "rate_limited": 503,
    "no_quota": 503,
    "timeout": 504,
    "cancelled": 409,
}
BAD_GATEWAY = 502


class ModelFault(Exception):
    """A call that gave nothing to use: why, and what the server said, for the administrator's eyes."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Take a reason and a detail without secrets."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason
        self.detail = detail[:500]


def status_of(reason: Reason) -> int:
    """The HTTP status of a fault."""
    return STATUS.get(reason, BAD_GATEWAY)
