"""The services of the demo and what each of their endpoints is like: declarations only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PUBLIC = ("browser", "app", "bot")
MEMBERS = ("browser", "app")
STAFF = ("browser", "script")

SERVICES: Mapping[str, tuple[str, ...]] = {
    "shop-api": ("10.0.1.11:8080", "10.0.1.12:8080", "10.0.1.13:8080"),
    "auth-api": ("10.0.2.11:8080", "10.0.2.12:8080"),
    "report-api": ("10.0.3.11:8080",),
}
"""Each service and the instances behind its load balancer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal response time in milliseconds; a share of the calls falls into a second, slow mode."""

    p50_ms: float
    sigma: float
    slow_share: float = 0.0
    slow_p50_ms: float = 1.0
    slow_sigma: float = 0.35


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The call a client makes after a successful one: how often, how soon, and with which outcome."""

    endpoint: str
    share: float
    delay_s: float
    statuses: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of a service; `weight` counts the calls that no other call leads to."""

    name: str
    service: str
    method: str
    path: str
    weight: float
    latency: Latency
    statuses: Mapping[int, float]
    audience: tuple[str, ...] = MEMBERS
    bytes_p50: int = 900
    follow_ups: tuple[FollowUp, ...] = field(default=())


def _statuses(ok: int = 200, /, **others: float) -> dict[int, float]:
    """Shares by status; `ok` gets what `s404=0.01` and the like leave over."""
    shares = {int(name[1:]): share for name, share in others.items()}
    return {ok: 1 - sum(shares.values()), **shares}


# A coupon that was just attached makes checkout refuse more orders: a lasting link between two calls.
_AFTER_COUPON = _statuses(s422=0.13, s402=0.012, s500=0.008)

# A table is easier to compare line by line than one argument a line.
# fmt: off
ENDPOINTS: tuple[Endpoint, ...] = (
    # shop-api
    Endpoint("product_view", "shop-api", "GET", "/api/product/view?id={id}", 15, Latency(38, 0.45, 0.02, 260),
             _statuses(s304=0.020, s404=0.008), PUBLIC, 5_200, (FollowUp("cart_add", 0.09, 14),)),
    Endpoint("product_detail", "shop-api", "GET", "/api/product/{id}", 12, Latency(46, 0.42),
             _statuses(s304=0.030, s404=0.015), PUBLIC, 7_400, (FollowUp("cart_add", 0.06, 18),)),
    Endpoint("search", "shop-api", "GET", "/api/search?q={word}&page={page}", 11, Latency(118, 0.50, 0.06, 620),
             _statuses(s400=0.010, s503=0.004), PUBLIC, 11_800, (FollowUp("product_detail", 0.28, 7),)),
    Endpoint("recommendations", "shop-api", "GET", "/api/recommendations?user={id}", 5, Latency(84, 0.50),
             _statuses(s500=0.003), MEMBERS, 4_100),
    Endpoint("image", "shop-api", "GET", "/static/images/{id}/thumb.webp", 8, Latency(4.5, 0.60),
             _statuses(s304=0.400, s404=0.004), PUBLIC, 48_000),
    Endpoint("cart", "shop-api", "GET", "/api/cart", 6, Latency(27, 0.40),
             _statuses(s401=0.006), MEMBERS, 1_900, (FollowUp("coupon", 0.10, 9),)),
    Endpoint("cart_add", "shop-api", "POST", "/api/cart/items", 3, Latency(52, 0.42),
             _statuses(201, s409=0.020, s500=0.002), MEMBERS, 640, (FollowUp("checkout", 0.45, 24),)),
    Endpoint("coupon", "shop-api", "PUT", "/api/cart/coupon", 0.6, Latency(71, 0.45),
             _statuses(s404=0.110, s409=0.060), MEMBERS, 420, (FollowUp("checkout", 0.65, 12, _AFTER_COUPON),)),
    Endpoint("checkout", "shop-api", "POST", "/api/order/checkout", 3.2, Latency(235, 0.45, 0.05, 880),
             _statuses(s402=0.012, s409=0.008, s500=0.004, s504=0.002), MEMBERS, 1_350,
             (FollowUp("order_detail", 0.55, 3),)),
    Endpoint("order_detail", "shop-api", "GET", "/api/orders/{uuid}", 2.5, Latency(61, 0.40),
             _statuses(s403=0.004, s404=0.010), MEMBERS, 2_300),
    Endpoint("order_cancel", "shop-api", "DELETE", "/api/orders/{uuid}", 0.4, Latency(133, 0.45),
             _statuses(204, s404=0.02, s409=0.06), MEMBERS, 0),
    Endpoint("review_create", "shop-api", "POST", "/api/product/{id}/reviews", 0.7, Latency(96, 0.45),
             _statuses(201, s400=0.05, s401=0.02), MEMBERS, 510),
    # auth-api
    Endpoint("login", "auth-api", "POST", "/api/auth/login", 4.5, Latency(96, 0.30),
             _statuses(s401=0.060, s429=0.004, s500=0.002), MEMBERS, 780,
             (FollowUp("user_list", 0.22, 2), FollowUp("cart", 0.30, 4))),
    Endpoint("token_refresh", "auth-api", "POST", "/api/auth/refresh", 5.5, Latency(21, 0.38),
             _statuses(s401=0.030), MEMBERS, 700),
    Endpoint("logout", "auth-api", "POST", "/api/auth/logout", 0.9, Latency(14, 0.35), _statuses(204), MEMBERS, 0),
    Endpoint("user_list", "auth-api", "GET", "/api/user/list?page={page}", 3.2, Latency(101, 0.40),
             _statuses(s401=0.010, s500=0.002), MEMBERS, 9_600, (FollowUp("checkout", 0.06, 20),)),
    Endpoint("user_create", "auth-api", "POST", "/api/user/create", 1.2, Latency(152, 0.35),
             _statuses(201, s400=0.05, s409=0.05), MEMBERS, 560, (FollowUp("login", 0.60, 6),)),
    Endpoint("user_profile", "auth-api", "GET", "/api/user/{id}/profile", 4, Latency(33, 0.40),
             _statuses(s304=0.05, s404=0.006), MEMBERS, 1_500),
    # report-api
    Endpoint("report_daily", "report-api", "GET", "/api/report/daily?date={date}", 0.6, Latency(840, 0.45, 0.12, 2_600),
             _statuses(s400=0.01, s504=0.008), STAFF, 64_000),
    Endpoint("report_sales", "report-api", "GET", "/api/report/sales?date={date}&page={page}", 0.35,
             Latency(1_380, 0.40), _statuses(s400=0.01, s500=0.006), STAFF, 120_000),
    Endpoint("report_export", "report-api", "POST", "/api/report/export", 0.15, Latency(3_150, 0.35),
             _statuses(202, s500=0.02, s504=0.03), STAFF, 260, (FollowUp("report_status", 0.90, 5),)),
    Endpoint("report_status", "report-api", "GET", "/api/report/exports/{uuid}", 0.3, Latency(18, 0.35),
             _statuses(s404=0.01), STAFF, 310),
)
# fmt: on

INDEX: Mapping[str, int] = {endpoint.name: number for number, endpoint in enumerate(ENDPOINTS)}


def entry_shares() -> NDArray[np.float64]:
    """Return the share of each endpoint among the calls that no other call leads to."""
    weights = np.array([endpoint.weight for endpoint in ENDPOINTS], dtype=np.float64)
    return np.asarray(weights / weights.sum())


def calls_per_entry() -> NDArray[np.float64]:
    """Return how many calls of each endpoint one entry call leads to on average, itself included."""
    leads = np.zeros((len(ENDPOINTS), len(ENDPOINTS)))
    for number, endpoint in enumerate(ENDPOINTS):
        success = sum(share for status, share in endpoint.statuses.items() if status < 400)
        for follow_up in endpoint.follow_ups:
            leads[INDEX[follow_up.endpoint], number] += success * follow_up.share
    return np.asarray(np.linalg.solve(np.eye(len(ENDPOINTS)) - leads, entry_shares()), dtype=np.float64)
