"""Serve an application with gunicorn, in this process, until told to stop."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from accessboard.settings import BusyPort, parse_bind

PARENT_VARIABLE = "ACCESSBOARD_PARENT"
# Well above the connections of a pool: while all of them wait for the database, /healthz still answers.
THREADS = 32
# Fluent Bit keeps idle connections for 30 s: a server that closes earlier costs it a retry.
KEEPALIVE_S = 75
GRACEFUL_S = 10
BACKLOG = 1024  # Fluent Bit opens a connection for every chunk in flight
PORT_WAIT_S = GRACEFUL_S + 5.0  # a predecessor may be finishing what it had accepted
_PR_SET_PDEATHSIG = 1


def require_free_port(bind: str, variable: str) -> None:
    """Return if we could listen there.

    Raises:
        BusyPort: somebody else does, or the address is not ours.
        BadSettings: `bind` is no address.
    """
    host, port = parse_bind(bind, variable)
    deadline = time.monotonic() + PORT_WAIT_S
    while True:
        try:
            info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(info[0], socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(info[4])
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise BusyPort(
                    f"cannot listen on {bind} ({error.strerror or error}): stop the program that uses it, "
                    f"or set {variable} to another address"
                ) from None
            time.sleep(0.2)


def serve(make_app: Callable[[], Flask], bind: str) -> None:
    """Serve a WSGI application until SIGTERM or SIGINT.

    `make_app` runs in the worker, after the fork, so it may open pools.
    """
    _end_with_parent()
    _Server(make_app, bind, {"worker_class": "gthread", "workers": 1, "threads": THREADS}).run()


def serve_asgi(make_app: Callable[[], Any], bind: str, workers: int) -> None:
    """Serve an ASGI application with so many processes until SIGTERM or SIGINT; `make_app` runs in each."""
    _end_with_parent()
    _Server(make_app, bind, {"worker_class": "accessboard.asgi.IngestWorker", "workers": workers}).run()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, make_app: Callable[[], Any], bind: str, options: dict[str, Any]) -> None:
        self._make_app = make_app
        self._options = options | {
            "bind": bind,
            "backlog": BACKLOG,
            "keepalive": KEEPALIVE_S,
            "graceful_timeout": GRACEFUL_S,
            "timeout": 120,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make_app()


def _end_with_parent() -> None:
    """Under a supervisor: be told to end when it is gone, even if it was killed."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None:
        end_with(int(parent), signal.SIGINT)


def end_with(parent: int, number: signal.Signals) -> None:
    """Be sent a signal when the parent process is gone; end at once if it is gone already."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere a killed parent leaves us behind
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(0)
