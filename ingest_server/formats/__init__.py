"""The formats of access logs: text formats by name, and dialects of JSON by their field names. Pure.

A format is a module of its own and one entry here; what no format fits is None, and the caller quarantines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingest_server.formats.aws_alb import parse_aws_alb
from ingest_server.formats.combined import parse_combined
from ingest_server.formats.common import parse_common
from ingest_server.formats.dialect import Dialect
from ingest_server.formats.envoy import parse_envoy
from ingest_server.formats.json_caddy import CADDY
from ingest_server.formats.json_ecs import ECS_DOTTED, ECS_NESTED
from ingest_server.formats.json_envoy import ENVOY
from ingest_server.formats.json_http_request import HTTP_REQUEST
from ingest_server.formats.json_request import PINO, REQUEST
from ingest_server.formats.json_spelling import spelling_of
from ingest_server.formats.json_traefik import TRAEFIK
from ingest_server.formats.nginx_ingress import parse_nginx_ingress
from ingest_server.formats.plain import parse_plain
from ingest_server.formats.record import Record
from ingest_server.formats.traefik import parse_traefik
from ingest_server.formats.vhost_combined import parse_vhost_combined

__all__ = ["DIALECTS", "LINE_FORMATS", "Dialect", "Record", "dialect_of", "parse_line"]

# In the order in which "auto" tries them: a format comes before those whose lines its own would fit too. Each
# looks at the beginning or the end of the line first, so that the wrong ones cost next to nothing.
LINE_FORMATS: Mapping[str, Callable[[str], Record | None]] = {
    "plain": parse_plain,
    "envoy": parse_envoy,
    "aws_alb": parse_aws_alb,
    "traefik": parse_traefik,
    "nginx_ingress": parse_nginx_ingress,
    "combined": parse_combined,
    "vhost_combined": parse_vhost_combined,
    "common": parse_common,
}
# In the order in which they are tried: the more telling names first.
DIALECTS: tuple[Dialect, ...] = (
    TRAEFIK,
    HTTP_REQUEST,
    ECS_DOTTED,
    ECS_NESTED,
    CADDY,
    ENVOY,
    PINO,
    REQUEST,
)
# White space that looks like a blank but is none; log lines copied through documents have it.
_ODD_SPACE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\ufeff": ""})
_PARSERS = tuple(LINE_FORMATS.values())


def parse_line(line: str, format_name: str = "auto") -> Record | None:
    """Return the record of a text line under our names and in our units, or None where the format does not fit.

    Args:
        line: one line, with or without its end.
        format_name: a key of LINE_FORMATS, or "auto" for the first that fits.
    """
    tidy = line.strip() if line.isascii() else line.translate(_ODD_SPACE).strip()
    if format_name != "auto":
        return LINE_FORMATS[format_name](tidy)
    for parse in _PARSERS:
        record = parse(tidy)
        if record is not None:
            return record
    return None


def dialect_of(keys: frozenset[str]) -> Dialect | None:
    """Return the dialect of a JSON record by its top-level names, or None where they need no reshaping.

    The answer depends on the names alone, so a caller may keep it per set of names.
    """
    for dialect in DIALECTS:
        if dialect.needs <= keys:
            return dialect
    return spelling_of(keys)
