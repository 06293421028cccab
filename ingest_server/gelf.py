"""Take the envelope of GELF off a record, so that its fields have the names they had at home. Pure."""

from __future__ import annotations

from typing import Any

from ingest_server.fields import ALIASES, pick

MARK = b'"short_message"'
_VERSIONS = ("1.0", "1.1")
_PATHS, _METHODS = frozenset(ALIASES["path"]), frozenset(ALIASES["method"])


def unwrapped(record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a GELF record was made of; any other record comes back as it is.

    `_name` is `name` again, hence `__id` is `_id`, which GELF itself forbids. `version` is the envelope's and goes;
    a field of the record wins over one of the envelope, which is then kept as `gelf_<name>`. The message is a raw
    log line, and so `log`, unless the record names its method or path.
    """
    if "short_message" not in record or record.get("version") not in _VERSIONS:
        return record
    fields: dict[str, Any] = {}
    for name, value in record.items():
        if name[:1] == "_" and name != "_id":
            fields[name[1:]] = value
        elif name != "version":
            fields[f"gelf_{name}" if f"_{name}" in record else name] = value
    return _with_line(fields)


def _with_line(fields: dict[str, Any]) -> dict[str, Any]:
    # Few records have such a name at all, and only a name that is there is worth the look at its value.
    if "log" in fields or (not _PATHS.isdisjoint(fields) and pick(fields, "path")):
        return fields
    message = fields.get("short_message")
    if not _METHODS.isdisjoint(fields) and pick(fields, "method"):
        # Fluent Bit needs one field as the message, and the path is a likely choice; it is sent as nothing else.
        renamed = {"short_message": "path"} if isinstance(message, str) and message.startswith("/") else {}
    else:
        renamed = {"full_message" if fields.get("full_message") else "short_message": "log"}
    return {renamed.get(name, name): value for name, value in fields.items()}
