"""Rows of the log as a file, piece by piece. Pure."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sql.search import COLUMNS

Rows = Sequence[Mapping[str, Any]]
# A spreadsheet takes what begins with one of these for a formula, also in its full-width form.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_BOM = "\ufeff"
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Encoder:
    """A format of files: what its beginning is and what becomes of a page of rows."""

    mimetype: str
    head: str
    page: Callable[[Rows], str]

    def encode(self, pages: Iterable[Rows], *, marked: bool = False) -> Iterator[bytes]:
        """Encode pages one by one; `marked` begins with the byte order mark that Excel knows UTF-8 by."""
        yield ((_BOM if marked else "") + self.head).encode()
        for rows in pages:
            yield self.page(rows).encode()


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip pieces; its checksum comes last, so a file that was cut off is no valid one."""
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _csv_lines(lines: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue()


def _csv_page(rows: Rows) -> str:
    return _csv_lines([_cell(name, row[name]) for name in COLUMNS] for row in rows)


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    if name == "attributes" and value is not None:
        return _json(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _ndjson_page(rows: Rows) -> str:
    return "".join(f"{_json({**row, 'ts': _moment(row['ts'])})}\n" for row in rows)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


ENCODERS = {
    "csv": Encoder("text/csv", _csv_lines([COLUMNS]), _csv_page),
    "ndjson": Encoder("application/x-ndjson", "", _ndjson_page),
}
