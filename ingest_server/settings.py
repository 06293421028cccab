"""Settings of the ingest server, from the environment or `.env`."""

from __future__ import annotations

import os

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest_server.compression import MOST_DECODED_BYTES
from ingest_server.route import RouteRules
from sql.ledger import Limits


class IngestSettings(BaseSettings):
    """Where the ingest server listens, whom it serves, and what it keeps."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    ingest_bind: str = Field(default="127.0.0.1:8000", description="Address and port of the ingest server.")
    ingest_tokens: SecretStr = Field(
        default=SecretStr(""),
        description="Tokens that may send logs, separated by commas; empty: clients on this machine only.",
    )
    ingest_workers: int = Field(
        default=0, ge=0, le=64, description="Processes of the ingest server; 0: one per processor, at most 4."
    )
    ingest_max_bytes: int = Field(
        default=MOST_DECODED_BYTES,
        ge=1_048_576,
        description="Largest body after decompression, in bytes. Fluent Bit drops what is refused as too large.",
    )
    route_limit: int = Field(
        default=1000, ge=1, description="Different routes kept per service; further ones share the name {other}."
    )
    route_patterns: str = Field(
        default="",
        description="Own placeholders of a path segment, such as {sku}=[A-Z]{3}-\\d+, and -name to switch one off.",
    )
    quarantine_records: int = Field(default=100_000, ge=0, description="Refused records kept at most.")
    quarantine_days: float = Field(default=30, ge=0, description="Days that a refused record is kept.")

    @field_validator("route_patterns")
    @classmethod
    def _compiles(cls, value: str) -> str:
        RouteRules.parse(value)
        return value

    def tokens(self) -> tuple[str, ...]:
        """The tokens, each once."""
        given = (token.strip() for token in self.ingest_tokens.get_secret_value().split(","))
        return tuple(dict.fromkeys(token for token in given if token))

    def workers(self) -> int:
        """Number of processes."""
        return self.ingest_workers or min(4, os.cpu_count() or 1)

    def limits(self) -> Limits:
        """What is kept of the quarantine."""
        return Limits(quarantine_records=self.quarantine_records, quarantine_days=self.quarantine_days)
