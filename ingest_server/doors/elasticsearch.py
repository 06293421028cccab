"""Elasticsearch's bulk API, as log shippers use it: POST /_bulk, /INDEX/_bulk. Pure.

Documents become records, under the id that the action gives. What cannot be read is kept in quarantine and answered
as created: a client would send it for ever.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from ingest_server.doors.door import Door, Foreign, NotForeign, lines_of
from sql.batch import Receipt

_PATH = re.compile(r"/(?:(?P<index>[^/_][^/]*)/)?_bulk/?")
_STORING = ("index", "create")
_decode = msgspec.json.Decoder().decode


def read(body: bytes, _content_type: str, path: str) -> Foreign:
    """Documents of a bulk request; actions that store nothing are answered and do nothing."""
    found = _PATH.fullmatch(path)
    default = (found["index"] if found else None) or "default"
    records: list[dict[str, Any]] = []
    names: list[tuple[str, str, bool]] = []
    lines = iter([line for line in body.split(b"\n") if line.strip()])
    for line in lines:
        action, about = _action(line)
        index = str(about.get("_index") or default)
        if action in _STORING:
            records.append(_record(next(lines, b""), about, index))
        elif action == "update":
            next(lines, b"")
        names.append((action, index, action in _STORING))
    return Foreign(lines_of(records), names=names)


def answer(foreign: Foreign, _receipt: Receipt, _content_type: str) -> tuple[int, bytes, bytes]:
    """An item for each action, in their order."""
    items = [
        {action: {"_index": index, "status": 201, "result": "created"}}
        if stored
        else {action: {"_index": index, "status": 400, "error": {"type": "illegal_argument_exception",
                                                                 "reason": "only index and create are taken"}}}
        for action, index, stored in foreign.names
    ]  # fmt: skip
    errors = any(not stored for _, _, stored in foreign.names)
    return 200, json.dumps({"took": 0, "errors": errors, "items": items}).encode(), b"application/json"


DOOR = Door("elasticsearch", _PATH, read, answer)


def _action(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        parsed = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotForeign("a line where an action should stand is no JSON") from None
    if not isinstance(parsed, dict) or len(parsed) != 1:
        raise NotForeign("a line where an action should stand is none")
    action, about = next(iter(parsed.items()))
    if action not in (*_STORING, "update", "delete") or not isinstance(about, dict):
        raise NotForeign(f"{action[:40]!r} is no action of a bulk request")
    return action, about


def _record(line: bytes, about: dict[str, Any], index: str) -> dict[str, Any]:
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = None
    if not isinstance(record, dict):
        # It is refused as what it is, and kept.
        return {"message": line.decode("utf-8", "replace")}
    if about.get("_id") not in (None, "") and "_id" not in record:
        record["_id"] = f"{index}/{about['_id']}"
    if not record.keys() & {"service", "service_name", "service.name"}:
        record["service"] = index
    return record
