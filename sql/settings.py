"""Which database to use, from the environment or `.env`."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
        """Connection string for libpq, or None where nothing is configured.

        Raises:
            ValueError: DATABASE_URL is no address of a PostgreSQL database; the text never quotes it.
        """
        if self.database_url is not None:
            return _conninfo(self.database_url.get_secret_value())
        if self.postgres_host is None:
            return None
        return make_conninfo(
            host=self.postgres_host,
            port=self.postgres_port,
            user=self.postgres_user,
            password=self.postgres_password.get_secret_value() or None,
            dbname=self.postgres_db,
        )


def _conninfo(url: str) -> str:
    # SQLAlchemy's spelling names a driver, which libpq does not know.
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url.strip())
    try:
        parameters = conninfo_to_dict(plain)
        int(parameters.get("port") or 0)
    except (psycopg.ProgrammingError, ValueError):
        raise ValueError(
            "DATABASE_URL is no PostgreSQL address; write it as postgresql://user:password@host:5432/name "
            "and special characters in the password as %40 and the like"
        ) from None
    return make_conninfo("", **parameters)
