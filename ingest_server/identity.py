"""What makes a record or a body unique, so that it is stored once however often it is sent. Pure.

A shipper sends a body again when it did not hear our answer, and nothing in it says so. It is known again only
where that cannot be wrong: by an id that the shipper gave each record once, by the place of a line in a file
together with the line, or by a key that the client chose for the body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ingest_server.fields import ID_FIELDS
from sql.batch import LogRow

FILE_FIELDS = ("file", "filename", "file_name", "file_path", "filepath", "log_file", "log.file.path")
OFFSET_FIELDS = ("offset", "off", "file_offset", "log.offset")
HOST_FIELDS = ("source_host", "hostname", "host_name", "host.name", "node_name")
KEY_BYTES = 16


class KeyFields(NamedTuple):
    """Names of the fields of a record that may make it unique; None where it has none."""

    id: str | None
    file: str | None
    offset: str | None
    host: str | None


def key_fields(names: Collection[str]) -> KeyFields | None:
    """Return which of a record's fields may make it unique, or None."""
    choices = (ID_FIELDS, FILE_FIELDS, OFFSET_FIELDS, HOST_FIELDS)
    found = KeyFields(*(next((name for name in choice if name in names), None) for choice in choices))
    return found if found.id or (found.file and found.offset) else None


def record_key(record: Mapping[str, Any], fields: KeyFields, row: LogRow, source: str) -> bytes | None:
    """Return 16 bytes that two records share only if they are one, or None where nothing makes sure of it.

    Args:
        record: the fields as they came.
        fields: those of them to look at.
        row: what became of them; all of it counts for a place in a file, since a file that is rotated starts
            again at offset 0.
        source: who sent it; it stands in for the name of the host where the record has none.
    """
    host = record[fields.host] if fields.host else None
    place = _place(record, fields) if fields.file and fields.offset else None
    if place is not None and host:
        return _of_place(place, row, str(host))
    if fields.id:
        given = record[fields.id]
        if (type(given) is str or type(given) is int) and given != "":
            return _digest(f"id\0{row.service}\0{given}")
    return None if place is None else _of_place(place, row, f"@{source}")


def body_identity(body: bytes, source: str, service: str, rows: Sequence[LogRow], key: str | None) -> bytes | None:
    """Return what makes a body unique, or None where two equal ones may both be honest."""
    if key:
        # The body too: a key that a client sends with everything must not make its next body a duplicate.
        return _body_digest(b"key", service, key, body)
    if rows and all(row.record_key is not None for row in rows):
        return _body_digest(b"records", service, source, body)
    return None


def _place(record: Mapping[str, Any], fields: KeyFields) -> str | None:
    file, offset = record[fields.file or ""], record[fields.offset or ""]
    if type(file) is str and file and (type(offset) is int or (type(offset) is str and offset.isdecimal())):
        return f"{file}\0{offset}"
    return None


def _of_place(place: str, row: LogRow, host: str) -> bytes:
    # The moment is beside the key in the index; the route is ours and may change with a setting.
    return _digest(f"place\0{host}\0{place}\0{(*row[1:4], *row[5:])!r}")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def _body_digest(kind: bytes, service: str, name: str, body: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in (kind, service.encode(), name.encode("utf-8", "surrogatepass")):
        digest.update(len(part).to_bytes(8, "big") + part)
    digest.update(body)
    return digest.digest()
