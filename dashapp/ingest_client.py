"""Send pieces of a log file to the ingest server."""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from dashapp.log_pieces import Piece

log = logging.getLogger(__name__)

TIMEOUT_S = 90.0
# It says when it can store nothing now; soon it can again, or it is a longer trouble.
WAITS_S = (1.0, 2.0, 4.0, 8.0)
_MOST_ANSWER = 4_096


class IngestFailed(Exception):
    """The ingest server did not take a piece: `code` names the reason, the text is one sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        """Fail for a reason."""
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class IngestAddress:
    """Where the ingest server is, and what it knows us by."""

    url: str
    token: str | None


class IngestClient:
    """One file on its way, over one connection; to be closed."""

    def __init__(self, address: IngestAddress, *, name: str, service: str, wait: Callable[[float], None] = time.sleep):
        """Open nothing yet."""
        parts = urlsplit(address.url)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._path = f"{parts.path.rstrip('/')}/log/ingest?{urlencode({'service': service})}"
        self._headers = {"Content-Type": "text/plain", "X-File-Name": quote(name)}
        if address.token:
            self._headers["Authorization"] = f"Bearer {address.token}"
        self._wait = wait

    def __enter__(self) -> Self:
        """Nothing to do yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, piece: Piece) -> dict[str, Any]:
        """Send a piece and return the receipt of it; a server that is away for a moment is waited for.

        Raises:
            IngestFailed: it was not taken.
        """
        for wait_s in WAITS_S:
            try:
                return self._send(piece)
            except IngestFailed as error:
                if error.code not in ("ingest_away", "ingest_busy"):
                    raise
                log.info("sending a piece again in %g s: %s", wait_s, error)
                self._wait(wait_s)
        return self._send(piece)

    def _send(self, piece: Piece) -> dict[str, Any]:
        headers = self._headers | {"X-File-Offset": str(piece.offset)}
        try:
            self._connection.request("POST", self._path, body=piece.body, headers=headers)
            response = self._connection.getresponse()
            status, body = response.status, response.read(_MOST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise IngestFailed("ingest_away", f"the ingest server does not answer: {error or type(error)}") from error
        answer = _json(body)
        if status == 200 and isinstance(answer.get("received"), int):
            return answer
        said = answer.get("error")
        sentence = str(said.get("message", "")) if isinstance(said, dict) else ""
        raise IngestFailed(_CODES.get(status, "ingest_refused"), f"the ingest server answered {status}: {sentence}")


_CODES = {503: "ingest_busy", 429: "ingest_busy", 401: "ingest_token", 413: "ingest_too_large"}


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
