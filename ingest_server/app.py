"""The ingest server's HTTP side: who may send, what may be sent, and the answer.

Fluent Bit never reads an error text: a 4xx makes it throw the data away, a 5xx makes it try again. So
whatever may be kept is answered 200 and kept, in the quarantine if need be, and every fault of ours is 503.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import uuid
from dataclasses import asdict

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from ingest_server.body import (
    MOST_DECODED_BYTES,
    BrokenEncoding,
    TooLarge,
    UnknownEncoding,
    decompress,
)
from ingest_server.event import clean
from ingest_server.intake import DEFAULT_SERVICE, MOST_NAME, Origin, quarantine_body, take_in
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable
from sql.writing import LogWriter

log = logging.getLogger(__name__)

TAG_HEADERS = ("X-Fluent-Tag", "X-Tag")
RETRY_AFTER_S = 5


def create_app(settings: IngestSettings, writer: LogWriter) -> Flask:
    """Return the WSGI application; it opens nothing itself."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_DECODED_BYTES
    tokens = settings.tokens()

    # Both spellings are served directly: a redirect would cost the sender its data.
    @app.route("/log/ingest", methods=["POST", "PUT"])
    @app.route("/log/ingest/", methods=["POST", "PUT"])
    def ingest() -> tuple[Response, int]:
        if not _may_send(tokens):
            return _error(401, "unauthorized", _why_not(tokens))
        return _ingest(writer)

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        return jsonify(status="ok"), 200

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        writer.check()
        return jsonify(status="ok"), 200

    app.register_error_handler(DatabaseUnavailable, _database_away)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)
    return app


def _ingest(writer: LogWriter) -> tuple[Response, int]:
    body, origin = request.get_data(cache=False), _origin()
    try:
        decoded = decompress(body, request.headers.get("Content-Encoding", ""))
    except UnknownEncoding as error:
        return _error(
            415, "unsupported_encoding", f"Content-Encoding {str(error)[:40]!r} is not known: send gzip or none"
        )
    except TooLarge:
        return _error(413, "too_large", f"the body is over {MOST_DECODED_BYTES // 2**20} MiB once decompressed")
    except BrokenEncoding as error:
        receipt = quarantine_body(body, str(error), origin, writer)
    else:
        receipt = take_in(decoded, origin, writer, idempotency_key=request.headers.get("Idempotency-Key"))
    return jsonify(asdict(receipt)), 200


def _origin() -> Origin:
    tag = next((request.headers[name] for name in TAG_HEADERS if request.headers.get(name)), None)
    service = request.args.get("service") or tag or DEFAULT_SERVICE
    address = request.remote_addr or "unknown"
    source = f"{tag}@{address}" if tag else address
    return Origin(source=clean(source)[:MOST_NAME], service=clean(service)[:MOST_NAME])


def _may_send(tokens: tuple[str, ...]) -> bool:
    if not tokens:
        return _is_loopback(request.remote_addr)
    given = _given_token()
    # Every token is compared, so the time taken does not tell which one came close.
    return given is not None and max(hmac.compare_digest(given.encode(), token.encode()) for token in tokens)


def _given_token() -> str | None:
    if key := request.headers.get("X-API-Key"):
        return key
    if (authorization := request.authorization) is None:
        return None
    if authorization.type == "bearer":
        return authorization.token
    return authorization.password if authorization.type == "basic" else None


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _why_not(tokens: tuple[str, ...]) -> str:
    if tokens:
        return "send one of INGEST_TOKENS as a bearer token, as X-API-Key or as the password of basic authentication"
    return "without INGEST_TOKENS only this machine may send: set INGEST_TOKENS on the server"


def _error(status: int, code: str, message: str) -> tuple[Response, int]:
    return jsonify(error={"code": code, "message": message}), status


def _database_away(error: DatabaseUnavailable) -> tuple[Response, int]:
    log.warning("cannot store: %s", error)
    response, status = _error(503, "cannot_store", f"{error}; send it again"[:500])
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, status


def _http_error(error: HTTPException) -> tuple[Response, int]:
    return _error(error.code or 500, error.name.lower().replace(" ", "_"), error.description or error.name)


def _unforeseen(error: Exception) -> tuple[Response, int]:
    number = uuid.uuid4().hex[:8]
    log.error("request %s failed", number, exc_info=error)
    response, status = _error(
        503, "internal", f"the server failed (number {number}); nothing was stored, send it again"
    )
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, status
