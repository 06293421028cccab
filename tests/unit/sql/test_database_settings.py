"""The database's address from the environment, and that its password shows nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr, ValidationError

from sql.settings import DatabaseSettings

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SECRET = "hunter2secret"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in DatabaseSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def given_url(url: str) -> DatabaseSettings:
    return DatabaseSettings(database_url=SecretStr(url))


def parts(settings: DatabaseSettings) -> dict[str, str]:
    """What libpq understands of the address."""
    dsn = settings.dsn()
    assert dsn is not None
    return {name: str(value) for name, value in conninfo_to_dict(dsn).items()}


def test_dsn_is_none_without_settings() -> None:
    assert DatabaseSettings().dsn() is None


def test_dsn_treats_empty_values_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DatabaseSettings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert DatabaseSettings().dsn() is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db:5433/logs",
        "postgres://u:p@db:5433/logs",
        "postgresql+psycopg://u:p@db:5433/logs",
        "postgresql+asyncpg://u:p@db:5433/logs",
    ],
    ids=["postgresql", "postgres", "+psycopg", "+asyncpg"],
)
def test_dsn_is_the_url_in_the_form_that_libpq_reads(url: str) -> None:
    assert parts(given_url(url)) == {"user": "u", "password": "p", "host": "db", "port": "5433", "dbname": "logs"}


def test_dsn_keeps_the_parameters_of_the_url() -> None:
    assert parts(given_url("postgresql://u@db/logs?sslmode=require&application_name=board")) == {
        "user": "u",
        "host": "db",
        "dbname": "logs",
        "sslmode": "require",
        "application_name": "board",
    }


def test_dsn_reads_the_environment_and_prefers_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_HOST", "other")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/logs")
    assert parts(DatabaseSettings()) == {"host": "db", "dbname": "logs"}


def test_dsn_is_put_together_from_the_postgres_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOST": "db", "PORT": "6543", "USER": "me", "PASSWORD": "p@:/?#%", "DB": "logs"}.items():
        monkeypatch.setenv(f"POSTGRES_{name}", value)
    assert parts(DatabaseSettings()) == {
        "host": "db",
        "port": "6543",
        "user": "me",
        "password": "p@:/?#%",
        "dbname": "logs",
    }


def test_dsn_needs_no_more_than_the_host() -> None:
    assert parts(DatabaseSettings(postgres_host="db")) == {
        "host": "db",
        "port": "5432",
        "user": "postgres",
        "dbname": "postgres",
    }


texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20)


@relaxed
@given(texts)
def test_dsn_carries_any_password_unchanged(password: str) -> None:
    assert parts(DatabaseSettings(postgres_host="db", postgres_password=SecretStr(password)))["password"] == password


def test_dsn_carries_an_escaped_blank_of_the_url() -> None:
    assert parts(given_url("postgresql://u:a%20b@db/logs"))["password"] == "a b"


def test_dsn_takes_the_folder_of_a_socket_as_host() -> None:
    assert parts(DatabaseSettings(postgres_host="/var/run/postgresql"))["host"] == "/var/run/postgresql"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"mysql://u:{SECRET}@db/logs", id="another database"),
        pytest.param(f"nosuch+driver://u:{SECRET}@db/logs", id="unknown scheme"),
        pytest.param(f"u:{SECRET}@db/logs", id="no scheme"),
        pytest.param(f"postgresql://u:{SECRET}@db:port/logs", id="port is no number"),
        pytest.param(f"postgresql://u:{SECRET}@db:5432/logs?nonsense=1", id="unknown parameter"),
        pytest.param(f"postgresql://u:x@y:{SECRET}@db/logs", id="password with @ and : in it"),
        pytest.param(f"postgresql://u:{SECRET}%zz@db/logs", id="wrong escape"),
    ],
)
def test_dsn_refuses_a_wrong_url_in_one_sentence_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL is no PostgreSQL address; write it as postgresql://") as caught:
        given_url(url).dsn()
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_never_show_a_password() -> None:
    settings = DatabaseSettings(
        database_url=SecretStr(f"postgresql://u:{SECRET}@db/logs"),
        postgres_host="db",
        postgres_password=SecretStr(SECRET),
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_settings_refuse_a_wrong_port_without_showing_the_password(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("POSTGRES_PORT", port)
    monkeypatch.setenv("POSTGRES_PASSWORD", SECRET)
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings()
    assert SECRET not in str(caught.value)
