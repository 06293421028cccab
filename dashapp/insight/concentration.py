"""Whether what is bad comes from one network of clients much more than the traffic does. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashapp.insight.addresses import network_of_address
from dashapp.insight.chance import adjusted, fisher
from dashapp.insight.minute import Requests

Mask = npt.NDArray[np.bool_]

FEWEST = 8  # bad requests of a network: of fewer nobody should conclude where they come from
LEAST_SHARE = 0.5  # of all bad requests
LEAST_RATIO = 4.0  # of its share of bad requests to that of everybody else
LIKELY_BY_CHANCE = 1e-4
ONE_CLIENT = 0.9  # of the bad requests of a network: then it is the client, not the network


@dataclass(frozen=True, slots=True)
class Concentration:
    """A network in which bad requests crowd; `client` where nearly all of them are of one address in it.

    Attributes:
        bad: bad requests of the network; `n` all of it.
        bad_all, n_all: the same of everybody with an address.
        p: probability that chance alone does this, corrected for the networks looked at.
    """

    network: str
    client: str | None
    bad: int
    n: int
    bad_all: int
    n_all: int
    p: float

    @property
    def share_of_bad(self) -> float:
        """Part of the bad requests that come from there."""
        return self.bad / self.bad_all

    @property
    def share_of_traffic(self) -> float:
        """Part of all requests that come from there."""
        return self.n / self.n_all

    @property
    def rate(self) -> float:
        """Bad requests by requests, there."""
        return self.bad / self.n

    @property
    def rate_elsewhere(self) -> float:
        """Bad requests by requests, everywhere else; 0 where there are none."""
        others = self.n_all - self.n
        return (self.bad_all - self.bad) / others if others else 0.0


def network_of(requests: Requests, bad: Mask | None = None) -> Concentration | None:
    """Name the network (/24 or /48) that the bad requests of a span come from; None where they come from all over.

    A network is named where at least half of the bad requests are its own, where it fares at least four times as
    badly as all others, and where chance does not explain that. With one network only there is nothing to compare.

    Args:
        requests: of the span, the good ones too.
        bad: which of them are; without it those with a status of 400 and above.
    """
    wrong = requests.status >= 400 if bad is None else bad
    known = requests.client >= 0
    if not known.any():
        return None
    networks, of_client = np.unique([network_of_address(each) for each in requests.clients], return_inverse=True)
    place = of_client[requests.client[known]]
    n = np.bincount(place, minlength=len(networks))
    found = np.bincount(place, weights=wrong[known], minlength=len(networks)).astype(np.int64)
    n_all, bad_all = int(n.sum()), int(found.sum())
    asked = int((n > 0).sum())
    if bad_all < FEWEST or asked < 2:
        return None
    chances = adjusted(fisher(found, n, bad_all - found, n_all - n))
    most = int(np.argmax(found))
    client = _one_client(requests, wrong, of_client == most)
    result = Concentration(
        str(networks[most]), client, int(found[most]), int(n[most]), bad_all, n_all, float(chances[most])
    )
    enough = result.bad >= FEWEST and result.share_of_bad >= LEAST_SHARE
    worse = result.rate >= LEAST_RATIO * result.rate_elsewhere
    return result if enough and worse and result.p <= LIKELY_BY_CHANCE else None


def _one_client(requests: Requests, wrong: Mask, in_network: Mask) -> str | None:
    """The address that nearly all bad requests of a network come from."""
    known = requests.client >= 0
    clients = requests.client[known & wrong]
    counts = np.bincount(clients[in_network[clients]], minlength=len(requests.clients))
    most = int(np.argmax(counts))
    return requests.clients[most] if counts[most] >= ONE_CLIENT * counts.sum() else None
