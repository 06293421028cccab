"""The programs under test: everything with the embedded database, or an ingest server on a native one."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
import urllib.error
import urllib.request
import uuid
from http.client import HTTPException
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from accessboard.embedded.database import running_dsn
from sql.connection import DatabaseUnavailable, connect
from sql.migrate import migrate
from tests.chaos.database_proxy import DatabaseProxy
from tests.chaos.processes import Kept, children, command_line, having, parent_of, send_signal

READY_S = 90.0
APPLICATION = "accessboard-chaos"
_RUN_VARIABLE = "ACCESSBOARD_CHAOS_RUN"  # marks every process that a stack has started, and their children
_ORPHAN_S = 15.0  # in which the workers of a killed server have to notice and end


class Stack:
    """An ingest server, a dashboard and their database; subclasses say which."""

    def __init__(self, folder: Path) -> None:
        """Choose ports; `folder` takes the logs."""
        self.folder = folder
        self.ingest = ("127.0.0.1", free_port())
        self._dashboard = ("127.0.0.1", free_port())
        self.database_proxy: DatabaseProxy | None = None
        self._run = uuid.uuid4().hex

    @property
    def dashboard_url(self) -> str:
        """Where the read API is."""
        return f"http://{self._dashboard[0]}:{self._dashboard[1]}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of every program of the stack."""
        return {
            "INGEST_BIND": f"{self.ingest[0]}:{self.ingest[1]}",
            "DASHBOARD_BIND": f"{self._dashboard[0]}:{self._dashboard[1]}",
            "INGEST_TOKENS": "",
            _RUN_VARIABLE: self._run,
        }

    def ingest_master(self) -> int | None:
        """Process id of the ingest server; None while it is away."""
        raise NotImplementedError

    def dsn(self) -> str:
        """Address of the database for the one who counts.

        Raises:
            DatabaseUnavailable: it is being started again.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Start everything and wait until it can store."""
        raise NotImplementedError

    def open_books(self) -> None:
        """See to it that the read API answers."""
        wait_for(f"{self.dashboard_url}/healthz")

    def stop(self) -> None:
        """End everything that `start` started, and what is left of it."""
        for pid in self.processes():
            send_signal(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Every process that comes from this stack, whoever its parent is by now."""
        return list(having(f"{_RUN_VARIABLE}={self._run}".encode()))

    def orphans(self) -> list[int]:
        """Processes of an ingest server that has been killed, if they do not end soon."""
        deadline = time.monotonic() + _ORPHAN_S
        while True:
            mine = {*self.processes(), os.getpid()}
            left = [pid for pid in mine if parent_of(pid) not in mine and pid != os.getpid()]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.2)

    def workers(self) -> list[int]:
        """Processes that the ingest server has started for its work."""
        master = self.ingest_master()
        return [] if master is None else list(children(master))


class EmbeddedStack(Stack):
    """`accessboard up` with its own database."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        """Keep the database in `data_dir`."""
        super().__init__(folder)
        self.data_dir = data_dir
        self.up = Kept(
            ["up"], {"DATA_DIR": str(data_dir), "DATABASE_URL": "", "POSTGRES_HOST": ""} | self.settings, folder
        )

    def start(self) -> None:
        """Start `up`."""
        self.up.start()
        wait_for(f"http://{self.ingest[0]}:{self.ingest[1]}/readyz")
        self.open_books()

    def stop(self) -> None:
        """End `up`, which ends the rest."""
        self.up.stop()
        super().stop()

    def dsn(self) -> str:
        """Address of the engine that runs now."""
        dsn = running_dsn(self.data_dir)
        if dsn is None:
            raise DatabaseUnavailable("the embedded database is away")
        return dsn

    def ingest_master(self) -> int | None:
        """The child of `up` that serves."""
        return self._child(b"ingest-server")

    def engine(self) -> int | None:
        """The child of `up` that is the database."""
        return self._child(b"server.mjs")

    def _child(self, word: bytes) -> int | None:
        up = self.up.pid
        return None if up is None else next((pid for pid in children(up) if word in command_line(pid)), None)


class NativeStack(Stack):
    """An ingest server on a database of its own on a native server, which it reaches through a proxy."""

    def __init__(self, folder: Path, server_dsn: str, proxy: DatabaseProxy) -> None:
        """Name the database; `start` creates it. `proxy` has been started and leads to the server."""
        super().__init__(folder)
        self.database_proxy: DatabaseProxy = proxy
        self.name = f"accessboard_chaos_{uuid.uuid4().hex[:12]}"
        self.admin_dsn = make_conninfo(server_dsn, application_name=APPLICATION, connect_timeout=5)
        self._dsn = make_conninfo(self.admin_dsn, dbname=self.name)
        proxied = make_conninfo(server_dsn, dbname=self.name, host="127.0.0.1", port=proxy.port)
        self._server = Kept(["ingest-server"], {"DATABASE_URL": as_url(proxied)} | self.settings, folder)
        self._books = Kept(["dashboard"], {"DATABASE_URL": as_url(self._dsn)} | self.settings, folder)

    def start(self) -> None:
        """Create and migrate the database, start the ingest server."""
        with connect(self.admin_dsn) as connection:
            connection.execute(f'create database "{self.name}"'.encode())
        migrate(self._dsn)
        self._server.start()
        wait_for(f"http://{self.ingest[0]}:{self.ingest[1]}/readyz")

    def open_books(self) -> None:
        """Start the dashboard: only now, so that the faults have the processors for themselves."""
        self._books.start()
        super().open_books()

    def stop(self) -> None:
        """End the servers and drop the database."""
        self._server.stop()
        self._books.stop()
        super().stop()
        with connect(self.admin_dsn) as connection:
            connection.execute(f'drop database if exists "{self.name}" with (force)'.encode())

    def dsn(self) -> str:
        """Address of the database, around the proxy."""
        return self._dsn

    def ingest_master(self) -> int | None:
        """The process that we keep."""
        return self._server.pid

    def backends(self) -> list[int]:
        """Server processes that serve the ingest server. Only it and we use this database."""
        with connect(self.admin_dsn) as connection:
            found = connection.execute(
                "select pid from pg_stat_activity where datname = %s and backend_type = 'client backend' "
                "and application_name <> %s",
                (self.name, APPLICATION),
            ).fetchall()
        return [int(str(row[0])) for row in found]

    def may_signal(self, pid: int) -> bool:
        """Whether a server process runs on this machine, is of our database and may be signalled by us."""
        if self.name.encode() not in command_line(pid):
            return False
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True


def as_url(dsn: str) -> str:
    """Write an address as a URL, the form that DATABASE_URL takes."""
    part = conninfo_to_dict(dsn)
    password = f":{part['password']}" if part.get("password") else ""
    host, port = part.get("host", "127.0.0.1"), part.get("port", 5432)
    return f"postgresql://{part.get('user', 'postgres')}{password}@{host}:{port}/{part['dbname']}"


def wait_for(url: str, limit_s: float = READY_S) -> None:
    """Wait until an address answers 200.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError, OSError, HTTPException),
            urllib.request.urlopen(url, timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {limit_s:.0f} s")


def free_port() -> int:
    """A port that nobody uses at this moment."""
    # Below those of outgoing connections: such a port could be taken while the server restarts.
    for port in random.SystemRandom().sample(range(12_000, 20_000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")
