"""Read the parameters of an address into typed values, or say what is wrong with them. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from sql.reading import Filters


class BadParameter(ValueError):
    """A parameter that cannot be meant; the text names it and says why."""


_STATUS = re.compile(r"[1-9]\d\d|[1-5]xx", re.IGNORECASE)
_TEXT_FILTERS = ("service", "method", "route")


def filters_of(parameters: Mapping[str, str]) -> Filters:
    """Return the filters that an address names; empty ones do not filter.

    Raises:
        BadParameter: a status or an address that is none.
    """
    texts = {name: parameters[name] for name in _TEXT_FILTERS if parameters.get(name)}
    if any("\x00" in text for text in texts.values()):
        raise BadParameter("a filter holds a NUL character")
    if "method" in texts:
        texts["method"] = texts["method"].upper()
    return Filters(
        **texts, status=status_range(parameters.get("status")), client_ip=client_address(parameters.get("client_ip"))
    )


def whole_number(parameters: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int) -> int:
    """Return a number between two bounds.

    Raises:
        BadParameter: it is none, or it is out of bounds.
    """
    text = parameters.get(name)
    if not text:
        return default
    if not re.fullmatch(r"\d{1,18}", text) or not least <= int(text) <= most:
        raise BadParameter(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def text_of(parameters: Mapping[str, str], name: str) -> str | None:
    """Return a text to compare with; None where there is none.

    Raises:
        BadParameter: it holds a NUL character, which no stored text does.
    """
    value = parameters.get(name)
    if value and "\x00" in value:
        raise BadParameter(f"{name} holds a NUL character")
    return value or None


def choice(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed words; the first is the default.

    Raises:
        BadParameter: it is none of them.
    """
    word = parameters.get(name) or allowed[0]
    if word not in allowed:
        raise BadParameter(f"{name} must be one of {', '.join(allowed)}")
    return word


def status_range(text: str | None) -> tuple[int, int] | None:
    """Return the codes, both included, that `404` or `5xx` means; None without a text.

    Raises:
        BadParameter: it is neither.
    """
    if not text:
        return None
    if not _STATUS.fullmatch(text):
        raise BadParameter("status must be a code such as 404 or a class such as 5xx")
    if text.lower().endswith("xx"):
        # Codes of 600 and above count as server errors everywhere, so "5xx" means them too.
        return int(text[0]) * 100, 999 if text[0] == "5" else int(text[0]) * 100 + 99
    return int(text), int(text)


def client_address(text: str | None) -> str | None:
    """Return an IP address in its usual form; None without a text.

    Raises:
        BadParameter: it is none.
    """
    if not text:
        return None
    try:
        if "%" in text:  # a scope, which PostgreSQL does not know
            raise ValueError
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise BadParameter("client_ip is no IP address") from None
