"""Upload of a log file: what the browser sends goes on to the ingest server, piece by piece, at constant memory."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from dashapp.access.uploading import why_no_upload
from dashapp.api.model import ErrorDetail, Failure
from dashapp.ingest_address import ingest_address
from dashapp.ingest_client import IngestClient, IngestFailed
from dashapp.log_pieces import BrokenFile, FileTooLarge, pieces_of
from dashapp.settings import DashboardSettings
from dashapp.upload_access import MARK, from_our_page
from dashapp.upload_receipt import UploadReceipt

log = logging.getLogger(__name__)

PATH = "/collection/upload"
MEGABYTE = 1_000_000
# Each keeps a thread of the server for as long as it takes.
MOST_UPLOADS = 2
_BLOCK_BYTES = 64 * 1024
# A browser that is answered before it has sent everything sees a broken connection instead of the answer.
_MOST_DRAINED = 32 * 1024 * 1024
_MOST_NAME = 150
RETRY_AFTER_S = 5
_STATUS = {"ingest_away": 503, "ingest_busy": 503, "ingest_token": 502, "ingest_too_large": 502, "ingest_refused": 502}


class UploadRefused(Exception):
    """An upload that is not taken, or not to its end."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        """Refuse with a status, a code and a sentence."""
        super().__init__(sentence)
        self.status = status
        self.code = code


class Incomplete(Exception):
    """The browser ended the connection before the end of the file."""


def register(api: Blueprint, settings: DashboardSettings) -> None:
    """Add the route of the upload."""
    running = threading.BoundedSemaphore(MOST_UPLOADS)

    @api.post(PATH)
    def post_upload() -> tuple[Response, int]:
        receipt = UploadReceipt(name=_given("name", "unnamed"), service=_given("service", "default"))
        try:
            _check(settings)
            if not running.acquire(blocking=False):
                raise UploadRefused(503, "busy", f"{MOST_UPLOADS} uploads are running already")
            try:
                _forward(settings, receipt, _blocks(request.stream, request.content_length or 0))
            finally:
                running.release()
        except UploadRefused as refusal:
            _drain(request.stream)
            return _failure(refusal, receipt)
        return Response(receipt.model_dump_json(), mimetype="application/json"), 200


def _check(settings: DashboardSettings) -> None:
    """Say no before anything is read."""
    if not from_our_page(request.headers):
        raise UploadRefused(403, "cross_site", f"uploads come from the Collection page only (header {MARK})")
    if why := why_no_upload(settings.allow_upload, request):
        raise UploadRefused(403, f"upload_{why}", f"this client may not upload ({why}): see ALLOW_UPLOAD")
    if request.content_length is None:
        raise UploadRefused(411, "length_required", "send the size of the file as Content-Length")
    if request.content_length > settings.upload_max_mb * MEGABYTE:
        raise _too_large(settings)


def _forward(settings: DashboardSettings, receipt: UploadReceipt, blocks: Iterator[bytes]) -> None:
    address = ingest_address(settings)
    try:
        with IngestClient(address, name=receipt.name, service=receipt.service) as client:
            for piece in pieces_of(blocks, most_bytes=settings.upload_max_mb * MEGABYTE):
                receipt.add(client.send(piece))
    except IngestFailed as error:
        log.warning("upload of %r: %s", receipt.name, error)
        raise UploadRefused(_STATUS[error.code], error.code, str(error)[:500]) from error
    except BrokenFile as error:
        raise UploadRefused(422, "broken_file", f"the file is no whole gzip stream: {error}") from error
    except FileTooLarge as error:
        raise _too_large(settings) from error
    except Incomplete as error:
        raise UploadRefused(400, "incomplete", "the connection ended before the end of the file") from error


def _blocks(stream: Any, size: int) -> Iterator[bytes]:
    left = size
    while left:
        block = stream.read(min(_BLOCK_BYTES, left))
        if not block:
            # The last line may be half a line: it is better sent again than stored cut.
            raise Incomplete
        left -= len(block)
        yield block


def _drain(stream: Any) -> None:
    left = _MOST_DRAINED
    try:
        while left > 0 and (block := stream.read(_BLOCK_BYTES)):
            left -= len(block)
    except OSError:
        return


def _too_large(settings: DashboardSettings) -> UploadRefused:
    words = f"the file is over {settings.upload_max_mb:,} MB unpacked (UPLOAD_MAX_MB): use `accessboard import`"
    return UploadRefused(413, "too_large", words)


def _failure(refusal: UploadRefused, receipt: UploadReceipt) -> tuple[Response, int]:
    """The error as all of the API says it, and beside it what was taken before."""
    error = Failure(error=ErrorDetail(code=refusal.code, message=str(refusal))).model_dump()
    body = json.dumps(error | {"taken": receipt.model_dump(mode="json")}, ensure_ascii=False)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if refusal.status == 503 else {}
    return Response(body, mimetype="application/json", headers=headers), refusal.status


def _given(name: str, default: str) -> str:
    text = "".join(c for c in request.args.get(name, "") if c.isprintable()).strip()
    return text[:_MOST_NAME] or default
