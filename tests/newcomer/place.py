"""Where a newcomer types: a folder, an environment with nothing in it, and what is started there and ended again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

INGEST, DASHBOARD = "8000", "8050"
# How packages are reached is the machine's business; nothing else of it comes along.
_KEPT = ("PIP_", "UV_", "npm_config_", "NODE_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TMPDIR")
_PATIENCE_S = 900


class Wrong(Exception):
    """What was typed did not do what the page says; the text says how."""


class Place:
    """A shell in a folder."""

    def __init__(self, folder: Path, *, ports: tuple[str, str] = (INGEST, DASHBOARD), **more: str) -> None:
        """Type nothing yet.

        Args:
            folder: where commands are typed; `home` beside it is the home of the newcomer.
            ports: of the ingest server and the dashboard, instead of those that the pages name.
            more: further variables of the environment.
        """
        self.folder = folder
        self._ports = dict(zip((INGEST, DASHBOARD), ports, strict=True))
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        kept = {
            name: value for name, value in os.environ.items() if name.upper().startswith(tuple(map(str.upper, _KEPT)))
        }
        path = f"{folder / '.venv/bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self._environment = kept | {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"} | more
        self._running: subprocess.Popen[bytes] | None = None
        self._log = folder.parent / "running.log"

    def typed(self, line: str) -> str:
        """What is typed for a line of a page."""
        for documented, port in self._ports.items():
            line = line.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{port}")
        return line

    def run(self, line: str, *, answer: str = "") -> str:
        """Type a line and return what it prints.

        Raises:
            Wrong: it failed.
        """
        done = subprocess.run(
            ["bash", "-c", self.typed(line)],
            cwd=self.folder,
            env=self._environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode:
            raise Wrong(f"it ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def serve(self, line: str) -> None:
        """Type a line that goes on, and wait until both servers answer.

        Raises:
            Wrong: they do not.
        """
        with self._log.open("wb") as output:
            self._running = subprocess.Popen(
                ["bash", "-c", f"exec {self.typed(line)}"],
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.wait(lambda: self._answers(INGEST, "/readyz") and self._answers(DASHBOARD, "/healthz"), _PATIENCE_S)

    def stop(self) -> None:
        """Press Ctrl-C.

        Raises:
            Wrong: something goes on.
        """
        running, self._running = self._running, None
        if running is None:
            return
        os.killpg(running.pid, signal.SIGINT)
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise Wrong("it went on after Ctrl-C") from None

    def wait(self, done: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so.

        Raises:
            Wrong: it is not, or what was started has ended.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if self._running is not None and self._running.poll() is not None:
                raise Wrong(f"it ended: {self._log.read_text('utf-8', 'replace')[-2000:]}")
            if time.monotonic() > deadline:
                raise Wrong(f"not within {seconds:.0f} s: {self._log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.5)

    def get(self, path: str) -> Any:
        """What the read API answers.

        Raises:
            Wrong: it does not.
        """
        try:
            with urllib.request.urlopen(self._address(DASHBOARD) + path, timeout=30) as answer:
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise Wrong(f"{path}: {error}") from error

    def _address(self, documented: str) -> str:
        return f"http://127.0.0.1:{self._ports[documented]}"

    def _answers(self, documented: str, path: str) -> bool:
        try:
            with urllib.request.urlopen(self._address(documented) + path, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
