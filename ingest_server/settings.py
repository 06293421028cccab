"""Settings of the ingest server, from the environment or `.env`."""

from __future__ import annotations

import os
import re
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest_server.compression import MOST_DECODED_BYTES
from ingest_server.privacy import Addresses, Privacy
from ingest_server.route import RouteRules
from sql.ledger import Limits

_SHORTEST_KEY = 16


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

    client_addresses: Addresses = Field(
        default="whole",
        description="How client addresses are stored: whole, truncated (to /24 and /48), or hashed with CLIENT_KEY.",
    )
    client_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the hash (CLIENT_ADDRESSES=hashed), 16 characters or more. Another key, other clients.",
    )
    drop_fields: str = Field(
        default="",
        description="Not stored: user_agent, referer, query (the query string), or names of other fields, by commas.",
    )
    mask_patterns: str = Field(
        default="",
        description="Regular expressions, separated by blanks; what matches in a path, program or other field is "
        "stored as ***.",
    )

    @field_validator("mask_patterns")
    @classmethod
    def _are_patterns(cls, value: str) -> str:
        for pattern in value.split():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.client_addresses == "hashed" and len(self.client_key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"CLIENT_ADDRESSES=hashed needs a CLIENT_KEY of {_SHORTEST_KEY} characters or more")
        return self

    @field_validator("route_patterns")
    @classmethod
    def _compiles(cls, value: str) -> str:
        RouteRules.parse(value)
        return value

    def tokens(self) -> tuple[str, ...]:
        """The tokens, each once."""
        given = (token.strip() for token in self.ingest_tokens.get_secret_value().split(","))
        return tuple(dict.fromkeys(token for token in given if token))

    def privacy(self) -> Privacy:
        """What is stored of a request."""
        names = self.drop_fields.replace(",", " ").split()
        patterns = [re.compile(pattern) for pattern in self.mask_patterns.split()]
        key = self.client_key.get_secret_value().encode()
        return Privacy(self.client_addresses, key, frozenset(names), patterns)

    def workers(self) -> int:
        """Number of processes."""
        return self.ingest_workers or min(4, os.cpu_count() or 1)

    def limits(self) -> Limits:
        """What is kept of the quarantine."""
        return Limits(quarantine_records=self.quarantine_records, quarantine_days=self.quarantine_days)
