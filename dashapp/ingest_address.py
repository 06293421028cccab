"""Where the ingest server is: for the dashboard, which hands it uploads, and for those who are to send logs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from dashapp.ingest_client import IngestAddress
from dashapp.settings import DashboardSettings

DEFAULT_PORT = 8000
_ANYWHERE = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 (compared with, not listened on)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
UNKNOWN_HOST = "accessboard.example"


@dataclass(frozen=True, slots=True)
class Target:
    """What a shipper is told; `local` where only programs of the same machine reach it."""

    host: str
    port: int
    tls: bool
    token: bool
    local: bool

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def ingest_address(settings: DashboardSettings) -> IngestAddress:
    """Where the dashboard sends uploads, with the first token of the settings."""
    tokens = [token.strip() for token in settings.ingest_tokens.get_secret_value().split(",")]
    token = next(filter(None, tokens), None)
    if settings.ingest_url is not None:
        return IngestAddress(settings.ingest_url, token)
    host, port = _bind(settings.ingest_bind)
    host = "127.0.0.1" if host in _ANYWHERE else host
    return IngestAddress(f"http://{f'[{host}]' if ':' in host else host}:{port}", token)


def target_of(settings: DashboardSettings, seen_as: str | None) -> Target:
    """What a shipper is told. `seen_as` is the Host header of the viewer: this machine as others know it.

    A server that listens everywhere is reached where the viewer reaches the dashboard; else the settings say where.
    """
    token = bool(settings.ingest_tokens.get_secret_value().strip(" ,"))
    host, port = _bind(settings.ingest_bind)
    if host in _ANYWHERE:
        return Target(_host_of(seen_as), port, tls=False, token=token, local=False)
    if settings.ingest_url is not None:
        parts = urlsplit(settings.ingest_url)
        tls = parts.scheme == "https"
        return Target(parts.hostname or UNKNOWN_HOST, parts.port or (443 if tls else 80), tls, token, local=False)
    return Target(host, port, tls=False, token=token, local=host in ("localhost", "::1") or host.startswith("127."))


def _bind(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port) if port.isdecimal() else DEFAULT_PORT


def _host_of(seen_as: str | None) -> str:
    try:
        host = urlsplit(f"//{seen_as or ''}").hostname or ""
    except ValueError:
        host = ""
    return host if _HOST.fullmatch(host) else UNKNOWN_HOST
