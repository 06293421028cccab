"""Requests by the network of their client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import CLASS_NAMES, READ, parts_of

# Leading bits of an address that name its network: what one site is usually given.
BITS_4, BITS_6 = 24, 48
# Networks that are not routed on the Internet: RFC 1918, 6598, 3927, 4193, 4291 and the hosts themselves.
INTERNAL = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
_SUMS = ("n", *CLASS_NAMES, "n_lat", "us", READ)


@dataclass(frozen=True, slots=True)
class Network:
    """Requests of one network (10.24.1.0/24), of how many clients; `us` is the latency of `n_lat` of them."""

    network: str
    clients: int
    n: int
    client_errors: int
    server_errors: int
    n_lat: int
    us: int


@dataclass(frozen=True, slots=True)
class TopNetworks:
    """The networks with the most requests, how many there are, and the requests of all.

    Of these, `internal` come from inside and `without` have no address.
    """

    networks: list[Network]
    found: int
    total: int
    internal: int
    without: int


def top_networks(reading: Reading, whole: Range, filters: Filters, most: int) -> TopNetworks:
    """Sum requests by network: the first 24 bits of an IPv4 address, the first 48 of an IPv6 address."""
    parts = parts_of(reading, whole, filters, ["client_ip"], (), columns=_SUMS)
    if parts is None:
        return TopNetworks([], 0, 0, 0, 0)
    rows = reading.execute(_statement(parts, most)).all()
    if not rows:
        return TopNetworks([], 0, 0, 0, 0)
    found, total, internal, without, read = rows[0][-_OF_ALL:]
    reading.count_rows(read)
    networks = [
        Network(name, clients, n, errors_4, errors_5, n_lat, int(us))
        for name, clients, n, errors_4, errors_5, n_lat, us, *_ in rows
        if name is not None
    ]
    return TopNetworks(networks, found, total, internal, without)


_OF_ALL = 5


def _statement(parts: sa.Subquery, most: int) -> sa.Select[Any]:
    """Clients first, so that each is counted once; what there is of all stands at the end of every row."""
    of_client = [sa.func.sum(parts.c[name]).label(name) for name in ("n", "n4", "n5", "n_lat", "us", READ)]
    client = sa.select(parts.c.client_ip, *of_client).group_by(parts.c.client_ip).subquery("client")
    address = client.c.client_ip
    bits = sa.case((sa.func.family(address) == 4, BITS_4), else_=BITS_6)
    network = sa.func.network(sa.func.set_masklen(address, bits))
    own = address.op("<<=", is_comparison=True)(sa.any_(sa.cast(list(INTERNAL), pg.ARRAY(pg.INET))))
    n = sa.func.sum(client.c.n)
    sums = [n, *(sa.func.sum(client.c[name]) for name in ("n4", "n5", "n_lat"))]
    of_all = [
        sa.func.count(network).over(),
        sa.func.sum(n).over(),
        sa.func.sum(sa.func.coalesce(n.filter(own), 0)).over(),
        sa.func.sum(sa.func.coalesce(n.filter(address.is_(None)), 0)).over(),
        sa.func.sum(sa.func.sum(client.c[READ])).over(),
    ]
    columns: list[sa.ColumnElement[Any]] = [
        sa.cast(network, sa.Text),
        sa.func.count(),
        *(sa.cast(each, sa.BigInteger) for each in sums),
        sa.cast(sa.func.coalesce(sa.func.sum(client.c.us), 0), sa.Text),
        *(sa.cast(each, sa.BigInteger) for each in of_all),
    ]
    ranked = sa.select(*columns).group_by(network).order_by(network.is_(None), n.desc(), network)
    return ranked.limit(most)
