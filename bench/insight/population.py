"""Who calls: people behind home, mobile and office networks, and the programs that are always there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PEOPLE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36 "
    "Edg/{v}.0.0.0",
    "Mozilla/5.0 (Linux; Android 15; SM-S936N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{m} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.{m} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{m} "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
    "TicketApp/5.{m} (com.example.ticket; build:5{m}; iOS 18.{m}) Alamofire/5.9",
    "TicketApp/5.{m} (Android 15; okhttp/4.12)",
)
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SECOND_CRAWLER = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
PROBE = "kube-probe/1.31"
PARTNER = "python-requests/2.32.3"
BATCH = "Java/21.0.4"
# What those use who are up to something; some say so, some do not.
STRANGERS = ("curl/8.9.1", "Go-http-client/1.1", "python-httpx/0.27", "Mozilla/5.0 zgrab/0.x", PEOPLE[0].format(v=119))


@dataclass(frozen=True, slots=True)
class Population:
    """Clients by number: first people, then programs, then strangers who have not come yet.

    Attributes:
        addresses: of each.
        agents: of each; None where the log has none.
        network: number of the /24 each lies in.
        networks: of each such number, as 10.1.2.0/24.
        popular: cumulated share of all sessions, by person.
        slowness: added to the logarithm of the latencies of each, for the way to it.
        programs: names of the programs by client number.
        strangers: numbers of who has not come yet.
    """

    addresses: tuple[str, ...]
    agents: tuple[str | None, ...]
    network: Ints
    networks: tuple[str, ...]
    popular: Floats
    slowness: Floats
    programs: dict[str, int]
    strangers: Ints

    def network_shares(self) -> Floats:
        """Share of the sessions of people by network."""
        shares = np.diff(self.popular, prepend=0.0)
        return np.bincount(self.network[: len(shares)], shares, minlength=len(self.networks)).astype(np.float64)


def populate(rng: np.random.Generator, rate: float) -> Population:
    """Draw the clients of a world that gets so many requests a second."""
    people = int(400 + 600 * rate)
    nets = int(25 + 10 * np.sqrt(rate) + 3 * rate)
    # Homes and mobile carriers hand out addresses of few large blocks; an office shares one.
    size = 1 / np.arange(1, nets + 1) ** 0.8
    network = np.sort(rng.choice(nets, people, p=size / size.sum()))
    prefixes = [f"{a}.{b}.{c}" for a, b, c in zip(*_blocks(rng, nets + 60), strict=True)]
    heavy = rng.pareto(2.2, people) + 0.4
    offices = rng.random(people) < 0.01
    heavy[offices] *= 6
    heavy = np.minimum(heavy, heavy.sum() * 0.01)
    where = network.tolist()
    hosts = rng.integers(1, 255, people).tolist()
    taken: dict[str, int] = {}
    addresses = [f"{prefixes[net]}.{host}" for net, host in zip(where, hosts, strict=True)]
    popular = np.zeros(people)
    # Two people with the same address are one client to whoever reads the log.
    for person, address in enumerate(addresses):
        popular[taken.setdefault(address, person)] += heavy[person]
    mobile = rng.random(nets) < 0.35
    slowness = np.where(mobile[network], 0.12, 0.0) + rng.normal(0, 0.03, nets)[network]
    kinds = rng.choice(len(PEOPLE), people, p=[0.24, 0.08, 0.2, 0.17, 0.06, 0.04, 0.12, 0.09]).tolist()
    versions = rng.integers(128, 142, people).tolist()
    agents: list[str | None] = [PEOPLE[k].format(v=v, m=v % 7) for k, v in zip(kinds, versions, strict=True)]
    names = {"crawler": CRAWLER, "second crawler": SECOND_CRAWLER, "probe": PROBE, "partner": PARTNER, "batch": BATCH}
    programs = {name: people + place for place, name in enumerate(names)}
    addresses += [f"{prefixes[nets + place]}.{10 + place}" for place in range(len(names))]
    agents += names.values()
    # Strangers: forty alone in their network, and twenty of one network.
    strangers = people + len(names) + np.arange(60)
    lone = [f"{prefixes[nets + 5 + place]}.{int(rng.integers(2, 250))}" for place in range(40)]
    together = [f"{prefixes[nets + 45]}.{20 + place}" for place in range(20)]
    addresses += lone + together
    odd = rng.choice(len(STRANGERS), 41).tolist()
    agents += [STRANGERS[kind] for kind in odd[:40]] + [STRANGERS[odd[40]]] * 20
    beyond = nets + np.r_[np.arange(len(names)), 5 + np.arange(40), np.full(20, 45)]
    return Population(
        tuple(addresses),
        tuple(agents),
        np.r_[network, beyond].astype(np.int64),
        tuple(f"{prefix}.0/24" for prefix in prefixes),
        np.cumsum(popular / popular.sum()),
        np.r_[slowness, np.zeros(len(names) + 60)],
        programs,
        strangers,
    )


def _blocks(rng: np.random.Generator, n: int) -> tuple[list[int], list[int], list[int]]:
    """Different first three bytes of public addresses, none of which is reserved."""
    drawn = rng.choice(60 * 256 * 256, n, replace=False)
    return (60 + drawn // 65536).tolist(), (drawn // 256 % 256).tolist(), (drawn % 256).tolist()
