"""Settings of the ingest server, from the environment or `.env`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Where the ingest server listens and whom it serves."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    ingest_bind: str = Field(default="127.0.0.1:8000", description="Address and port of the ingest server.")
    ingest_tokens: SecretStr = Field(
        default=SecretStr(""),
        description="Tokens that may send logs, separated by commas; empty: clients on this machine only.",
    )

    def tokens(self) -> tuple[str, ...]:
        """The tokens, each once."""
        given = (token.strip() for token in self.ingest_tokens.get_secret_value().split(","))
        return tuple(dict.fromkeys(token for token in given if token))
