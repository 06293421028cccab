"""Who calls: a fixed population of addresses and user agents, a few of them very active.

Every address is from a private or documentation range, so no real machine is ever named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network

import numpy as np
from numpy.typing import NDArray

KIND_SHARE = {"browser": 0.40, "app": 0.53, "bot": 0.04, "script": 0.03}
KIND_SIZE = {"browser": 700, "app": 900, "bot": 4, "script": 3}
# Activity of the n-th most active client is n ** -SKEW: the first tenth makes about a third of the calls.
SKEW = 0.6

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
    "Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
_APP_VERSIONS = {"4.0.3": 0.11, "4.1.2": 0.27, "4.2.0": 0.32, "4.2.1": 0.30}
_PHONES = ("Android 16; SM-S938N", "Android 15; SM-A556S", "iOS 26.1; iPhone17,1", "iOS 18.7; iPhone15,4")
_BOT = "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)"
_SCRIPT = "python-requests/2.32.5"

# The golden ratio spreads versions and browsers evenly over the ranks, the very active ones included.
_SPREAD = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Client:
    """One caller."""

    kind: str
    address: str
    user_agent: str
    app_version: str | None = None
    referer: str | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """All clients; `members[kind]` are their numbers and `activity[kind]` their shares, most active first."""

    clients: tuple[Client, ...]
    members: dict[str, NDArray[np.int64]]
    activity: dict[str, NDArray[np.float64]]

    def draw(self, rng: np.random.Generator, audience: tuple[str, ...], count: int) -> NDArray[np.int64]:
        """Return the numbers of `count` clients of the audience's kinds."""
        shares = np.array([KIND_SHARE[kind] for kind in audience])
        kinds = rng.choice(len(audience), count, p=shares / shares.sum())
        drawn = np.empty(count, dtype=np.int64)
        for number, kind in enumerate(audience):
            chosen = kinds == number
            drawn[chosen] = rng.choice(self.members[kind], int(chosen.sum()), p=self.activity[kind])
        return drawn


@cache
def population() -> Population:
    """Build the population; it is the same in every run, whatever the seed of the traffic."""
    clients: list[Client] = []
    members: dict[str, NDArray[np.int64]] = {}
    activity: dict[str, NDArray[np.float64]] = {}
    for kind, size in KIND_SIZE.items():
        first = len(clients)
        clients.extend(_of_kind(kind, size))
        members[kind] = np.arange(first, first + size)
        ranks = np.arange(1, size + 1, dtype=np.float64) ** -SKEW
        activity[kind] = ranks / ranks.sum()
    return Population(tuple(clients), members, activity)


def _of_kind(kind: str, size: int) -> Iterator[Client]:
    addresses = _addresses(kind)
    for rank in range(size):
        place = (rank + 0.5) * _SPREAD % 1
        address = addresses[rank % len(addresses)]
        if kind == "app":
            version = _pick(_APP_VERSIONS, place)
            phone = _PHONES[rank % len(_PHONES)]
            yield Client(kind, address, f"ShopApp/{version} ({phone})", app_version=version)
        elif kind == "browser":
            agent = _BROWSERS[int(place * len(_BROWSERS))]
            yield Client(kind, address, agent, referer="https://shop.example/")
        else:
            yield Client(kind, address, _BOT if kind == "bot" else _SCRIPT)


def _addresses(kind: str) -> list[str]:
    """Return the addresses of a kind: home lines, a carrier's shared ones, the office, a crawler."""
    networks = {
        "browser": ("203.0.113.0/24", "198.51.100.0/24"),
        "app": ("10.128.0.0/22",),
        "bot": ("192.0.2.8/29",),
        "script": ("10.0.9.16/29",),
    }
    hosts = [str(host) for network in networks[kind] for host in ip_network(network).hosts()]
    # Neighbouring ranks should not be neighbouring addresses.
    return [hosts[number * 61 % len(hosts)] for number in range(len(hosts))]


def _pick(shares: dict[str, float], place: float) -> str:
    bounds = np.cumsum(list(shares.values()))
    return list(shares)[min(int(np.searchsorted(bounds, place, side="right")), len(shares) - 1)]
