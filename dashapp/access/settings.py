"""Settings of who may see the dashboard."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from dashapp.access.roles import Role

Mode = Literal["auto", "accounts", "proxy", "open"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AccessSettings(BaseSettings):
    """How people are told apart."""

    auth: Mode = Field(
        default="auto",
        description="Who may open the dashboard: accounts (people sign in), proxy (a reverse proxy says who it is), "
        "open (everybody), or auto: accounts, but open to this machine "
        "as long as DASHBOARD_BIND is local and nobody has an account.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of reverse proxies, separated by commas: of those alone X-Forwarded-For "
        "and the two headers below are believed.",
    )
    auth_user_header: str = Field(default="X-Forwarded-User", description="Header with the user's name (AUTH=proxy).")
    auth_role_header: str = Field(
        default="X-Forwarded-Role", description="Header with viewer, analyst or administrator (AUTH=proxy)."
    )
    auth_default_role: Role = Field(default="viewer", description="Role of users for whom the proxy names none.")
    session_hours: float = Field(
        default=24, gt=0, le=720, description="Hours without a request after which a sign-in ends; 30 days at most."
    )

    requests_per_minute: int = Field(
        default=1200,
        ge=0,
        description="Requests a minute that an account, a token or a shared view may make; more get 429. 0: no limit.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks_of(value)
        return value

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Networks of trusted reverse proxies."""
        return networks_of(self.trusted_proxies)


def networks_of(text: str) -> tuple[Network, ...]:
    """Read addresses and networks, separated by commas or blanks.

    Raises:
        ValueError: one is none.
    """
    return tuple(ipaddress.ip_network(each, strict=False) for each in text.replace(",", " ").split())
