"""Read the parameters of an address into typed values, or say what is wrong with them. Pure."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping

from dashapp.patterns import objection
from sql.filters import Filters


class BadParameter(ValueError):
    """A parameter that cannot be meant; the text names it and says why."""


_STATUS = re.compile(r"[1-9]\d\d|[1-5]xx", re.IGNORECASE)
_TEXT_FILTERS = ("service", "method", "route", "text", "regex", "agent", "attribute")


def filters_of(parameters: Mapping[str, str]) -> Filters:
    """Return the filters that an address names; empty ones do not filter.

    Raises:
        BadParameter: a status, an address, a pattern or a latency that is none.
    """
    texts = {name: parameters[name] for name in _TEXT_FILTERS if parameters.get(name)}
    if any("\x00" in text for text in texts.values()):
        raise BadParameter("a filter holds a NUL character")
    if "method" in texts:
        texts["method"] = texts["method"].upper()
    pattern = texts.get("regex")
    if pattern is not None and (reason := objection(pattern)) is not None:
        raise BadParameter(reason)
    return Filters(
        service=texts.get("service"),
        method=texts.get("method"),
        route=texts.get("route"),
        status=status_range(parameters.get("status")),
        client_ip=client_address(parameters.get("client_ip")),
        path_text=texts.get("text"),
        path_regex=pattern,
        latency_ms=latency_range(parameters),
        agent_text=texts.get("agent"),
        attribute=attribute_of(texts.get("attribute")),
    )


def attribute_of(text: str | None) -> tuple[str, str] | None:
    """Return name and value of an attribute, written as `name:value`.

    Raises:
        BadParameter: it has no name, or nothing divides it from its value.
    """
    if not text:
        return None
    if "\x00" in text:
        raise BadParameter("attribute holds a NUL character")
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise BadParameter("attribute must be a name and a value, such as version:1.4")
    return name, value


def latency_range(parameters: Mapping[str, str]) -> tuple[float | None, float | None] | None:
    """Return the least latency and the first too high one, in ms; None where neither is given.

    Raises:
        BadParameter: one is no number from 0 on, or they leave nothing between them.
    """
    bounds: list[float | None] = []
    for name in ("latency_min", "latency_max"):
        text = parameters.get(name)
        try:
            bound = float(text) if text else None
        except ValueError:
            bound = math.nan
        if bound is not None and not 0 <= bound < math.inf:
            raise BadParameter(f"{name} must be a number of milliseconds from 0 on")
        bounds.append(bound)
    low, high = bounds
    if low is None and high is None:
        return None
    if low is not None and high is not None and low >= high:
        raise BadParameter("latency_min must be below latency_max")
    return low, high


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
    """Return an IP address, or a network with its number of bits, in its usual form; None without a text.

    Raises:
        BadParameter: it is none.
    """
    if not text:
        return None
    try:
        if "%" in text:  # a scope, which PostgreSQL does not know
            raise ValueError
        if "/" not in text:
            return str(ipaddress.ip_address(text.strip()))
        network = ipaddress.ip_network(text.strip())
        return str(network if network.num_addresses > 1 else network.network_address)
    except ValueError:
        raise BadParameter("client_ip is no IP address") from None
