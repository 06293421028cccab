"""Which database to use, from the environment or `.env`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class DatabaseSettings(BaseSettings):
    """Address of a TimescaleDB server; none of it set means the embedded database."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host:port/name of a TimescaleDB server; "
        "empty: POSTGRES_HOST and the rest, or the embedded database.",
    )
    postgres_host: str | None = Field(default=None, description="Host, instead of DATABASE_URL.")
    postgres_port: int = Field(default=5432, ge=1, le=65535, description="Port beside POSTGRES_HOST.")
    postgres_user: str = Field(default="postgres", description="User beside POSTGRES_HOST.")
    postgres_password: SecretStr = Field(default=SecretStr(""), description="Password beside POSTGRES_HOST.")
    postgres_db: str = Field(default="postgres", description="Database name beside POSTGRES_HOST.")

    def dsn(self) -> str | None:
        """Connection string in libpq's URL form, or None where nothing is configured.

        Raises:
            ValueError: DATABASE_URL is not a PostgreSQL URL.
        """
        if self.database_url is not None:
            return _libpq_url(self.database_url.get_secret_value())
        if self.postgres_host is None:
            return None
        from sqlalchemy.engine import URL

        return URL.create(
            "postgresql",
            username=self.postgres_user,
            password=self.postgres_password.get_secret_value() or None,
            host=self.postgres_host,
            port=self.postgres_port,
            database=self.postgres_db,
        ).render_as_string(hide_password=False)


def _libpq_url(url: str) -> str:
    """Check a URL and drop a driver suffix such as `+psycopg`, which libpq does not know."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "DATABASE_URL is not a database address; write it as postgresql://user:password@host:5432/name"
        ) from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"DATABASE_URL names {parsed.get_backend_name()}; accessboard needs postgresql://")
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)
