"""What can go wrong: each kind is a function that does it and says what it did, or None where it could not."""

from __future__ import annotations

import errno
import random
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path

from sql.connection import connect
from tests.chaos.database_proxy import DatabaseProxy
from tests.chaos.oracle import Oracle
from tests.chaos.processes import send_signal
from tests.chaos.proxy import HttpProxy, Trouble
from tests.chaos.servers import EmbeddedStack, NativeStack, Stack

BURST_CONNECTIONS = 80
_HAPPENS_WITHIN_S = 10.0
_MOST_FULL_S = 4.0
_REFUSALS_OF_A_FULL_DISK = 3


@dataclass(slots=True)
class Field:
    """Everything a fault can touch."""

    stack: Stack
    proxy: HttpProxy
    oracle: Oracle
    rng: random.Random
    burst_records: int

    @property
    def native(self) -> NativeStack:
        """The stack, where a kind is for a native server only."""
        assert isinstance(self.stack, NativeStack)
        return self.stack

    @property
    def database_proxy(self) -> DatabaseProxy:
        """The proxy before a native database."""
        assert self.stack.database_proxy is not None
        return self.stack.database_proxy

    @property
    def embedded(self) -> EmbeddedStack:
        """The stack, where a kind is for the embedded database only."""
        assert isinstance(self.stack, EmbeddedStack)
        return self.stack


def break_request(trouble: Trouble, field: Field) -> str | None:
    """Let a trouble of the network happen to the next request."""
    return "one request" if _happened(field.proxy.arm(trouble), field.proxy.disarm) else None


# ---- the ingest server ------------------------------------------------------------------------------------------


def kill_worker(field: Field) -> str | None:
    """SIGKILL one of the processes that the ingest server has started."""
    return _signalled(field.rng.sample(workers, 1) if (workers := field.stack.workers()) else [], signal.SIGKILL)


def kill_server(field: Field) -> str | None:
    """SIGKILL the ingest server's first process."""
    master = field.stack.ingest_master()
    return _signalled([] if master is None else [master], signal.SIGKILL)


def restart_server(field: Field) -> str | None:
    """SIGTERM: end in order, in the middle of the traffic."""
    master = field.stack.ingest_master()
    return _signalled([] if master is None else [master], signal.SIGTERM)


def overload(field: Field) -> str | None:
    """Many connections at the same moment."""
    field.oracle.burst(BURST_CONNECTIONS, field.burst_records)
    return f"{BURST_CONNECTIONS} connections with {field.burst_records} records each"


# ---- the embedded database --------------------------------------------------------------------------------------


def kill_engine(field: Field) -> str | None:
    """SIGKILL the embedded database."""
    engine = field.embedded.engine()
    return _signalled([] if engine is None else [engine], signal.SIGKILL)


def freeze_engine(field: Field) -> str | None:
    """Stop the embedded database for some seconds."""
    engine = field.embedded.engine()
    return _frozen([] if engine is None else [engine], field.rng.uniform(1, 3.5))


def fill_disk(field: Field) -> str | None:
    """Leave no byte free beside the database until the senders have felt it, then free it again."""
    filler = field.embedded.data_dir / "filler"
    answers = field.oracle.answers
    before, deadline = answers["503"], time.monotonic() + _MOST_FULL_S
    try:
        filled = 0
        while time.monotonic() < deadline and answers["503"] < before + _REFUSALS_OF_A_FULL_DISK:
            filled += _fill(filler)  # again and again: what the database frees is taken too
            time.sleep(0.05)
        return f"{filled >> 20} MiB taken, {answers['503'] - before} requests refused"
    finally:
        filler.unlink(missing_ok=True)


def _fill(filler: Path) -> int:
    filled = 0
    with filler.open("ab", buffering=0) as file:
        for piece in (b"\0" * 1_048_576, b"\0" * 4096):
            try:
                while True:
                    filled += file.write(piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return filled


# ---- the native database ----------------------------------------------------------------------------------------


def terminate_backend(field: Field) -> str | None:
    """End one session of the ingest server."""
    backends = field.native.backends()
    return _terminated(field, field.rng.sample(backends, 1)) if backends else None


def terminate_all_backends(field: Field) -> str | None:
    """End every session of the ingest server."""
    return _terminated(field, field.native.backends())


def kill_backend(field: Field) -> str | None:
    """SIGKILL a session's process: the whole database server recovers as after a crash."""
    backends = [pid for pid in field.native.backends() if field.native.may_signal(pid)]
    return _signalled(field.rng.sample(backends, 1), signal.SIGKILL) if backends else None


def freeze_backends(field: Field) -> str | None:
    """Stop the sessions of the ingest server for some seconds."""
    backends = [pid for pid in field.native.backends() if field.native.may_signal(pid)]
    return _frozen(backends, field.rng.uniform(1, 3.5))


def lose_database_answer(field: Field) -> str | None:
    """The database does what it was told, and nobody hears of it."""
    proxy = field.database_proxy
    return "one connection" if _happened(proxy.lose_answer(), proxy.disarm) else None


def cut_database(field: Field) -> str | None:
    """Reset every connection to the database."""
    proxy = field.database_proxy
    return f"{cut} connections" if (cut := proxy.cut()) else None


def stall_database(field: Field) -> str | None:
    """Nothing passes to or from the database for some seconds; now and then the connections break after that."""
    proxy = field.database_proxy
    seconds, broken = field.rng.uniform(1, 3.5), field.rng.random() < 0.5
    proxy.stall()
    time.sleep(seconds)
    if broken:
        proxy.cut()
    proxy.resume()
    return f"{seconds:.1f} s{', then cut' if broken else ''}"


def make_read_only(field: Field) -> str | None:
    """The database takes no writes for a while, as on a full disk or a replica."""
    name, seconds = field.native.name, field.rng.uniform(0.5, 2)
    with connect(field.native.admin_dsn) as connection:
        connection.execute(f'alter database "{name}" set default_transaction_read_only = on'.encode())
    try:
        terminate_all_backends(field)  # the setting is for new sessions
        time.sleep(seconds)
    finally:
        with connect(field.native.admin_dsn) as connection:
            connection.execute(f'alter database "{name}" reset default_transaction_read_only'.encode())
    terminate_all_backends(field)
    return f"{seconds:.1f} s"


# ---- tools ------------------------------------------------------------------------------------------------------


def _happened(future: Future[bool], give_up: Callable[[], None]) -> bool:
    try:
        return future.result(_HAPPENS_WITHIN_S)
    except NotYet:
        give_up()
        return False


def _signalled(pids: Iterable[int], number: signal.Signals) -> str | None:
    reached = [pid for pid in pids if send_signal(pid, number)]
    return f"process {', '.join(map(str, reached))}" if reached else None


def _frozen(pids: list[int], seconds: float) -> str | None:
    stopped = [pid for pid in pids if send_signal(pid, signal.SIGSTOP)]
    try:
        time.sleep(seconds if stopped else 0)
    finally:
        for pid in stopped:
            send_signal(pid, signal.SIGCONT)
    return f"{len(stopped)} processes for {seconds:.1f} s" if stopped else None


def _terminated(field: Field, backends: list[int]) -> str | None:
    with connect(field.native.admin_dsn) as connection:
        # Materialized: as a condition of the same query the function could run first, on sessions of others.
        done = connection.execute(
            "with ours as materialized (select pid from pg_stat_activity where pid = any(%s) and datname = %s) "
            "select count(*) filter (where pg_terminate_backend(pid)) from ours",
            (backends, field.native.name),
        ).fetchone()
    return f"{done[0]} sessions" if done and done[0] else None
