"""Which database to use, and how long it keeps data, from the environment or `.env`."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MOST_DAYS = 36_500


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


class UserSettings(BaseSettings):
    """Users of the database that `accessboard migrate` makes for the two servers."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    ingest_db_password: SecretStr | None = Field(
        default=None,
        description="`accessboard migrate` makes the database's user accessboard_ingest with this password, who may "
        "only do what the ingest server does.",
    )
    dashboard_db_password: SecretStr | None = Field(
        default=None, description="The same for accessboard_web, the user of the dashboard."
    )

    def passwords(self) -> dict[str, str]:
        """Password by user, of those that are set."""
        given = {"accessboard_ingest": self.ingest_db_password, "accessboard_web": self.dashboard_db_password}
        return {user: secret.get_secret_value() for user, secret in given.items() if secret is not None}


class LifeSettings(BaseSettings):
    """How long data stays, and in what form; handed to the database's job."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    columnstore_after_days: float = Field(
        default=7, description="Days after which rows go into the columnstore, about 7 times smaller; 0: never."
    )
    keep_log_days: float = Field(default=0, description="Days that the rows of the log are kept; 0: for ever.")
    keep_log_gb: float = Field(
        default=0,
        ge=0,
        allow_inf_nan=False,
        description="Gigabytes of rows on disk; the oldest days go first; 0: unbounded.",
    )
    keep_figures_days: float = Field(default=0, description="Days that the aggregates are kept; 0: for ever.")
    chunk_hours: int = Field(
        default=24, description="Hours of log in one piece of the table, the unit of converting and dropping."
    )

    @field_validator("columnstore_after_days", "keep_log_days")
    @classmethod
    def _a_day(cls, days: float) -> float:
        return _at_least(1, days)

    @field_validator("keep_figures_days")
    @classmethod
    def _outlives_the_log(cls, days: float, others: ValidationInfo) -> float:
        log_days = others.data.get("keep_log_days")
        if days and log_days is not None and not 0 < log_days <= days:
            raise ValueError(
                f"figures kept for {days:g} days must outlive the log: "
                f"set KEEP_LOG_DAYS (now {log_days:g}, 0 is for ever) to at most that"
            )
        return _at_least(7, days)

    @field_validator("chunk_hours")
    @classmethod
    def _divides_a_day(cls, hours: int) -> int:
        if hours < 1 or 24 % hours:
            raise ValueError(f"{hours} hours do not divide a day: use 1, 2, 3, 4, 6, 8, 12 or 24")
        return hours


def _at_least(least: float, days: float) -> float:
    if days and not least <= days < MOST_DAYS:
        raise ValueError(f"must be 0, or from {least:g} to {MOST_DAYS:,} days")
    return days


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
