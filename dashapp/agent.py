"""A user agent in a few words. Pure."""

from __future__ import annotations

import re

_MOST_CHARACTERS = 40
# In this order: most browsers also name the ones they descend from.
_BROWSERS = (
    (re.compile(r"Edg(?:e|A|iOS)?/(\d+)"), "Edge"),
    (re.compile(r"OPR/(\d+)"), "Opera"),
    (re.compile(r"SamsungBrowser/(\d+)"), "Samsung Internet"),
    (re.compile(r"Whale/(\d+)"), "Whale"),
    (re.compile(r"(?:Firefox|FxiOS)/(\d+)"), "Firefox"),
    (re.compile(r"(?:Chrome|CriOS)/(\d+)"), "Chrome"),
    (re.compile(r"Version/(\d+)[\d.]* .*Safari/"), "Safari"),
    (re.compile(r"MSIE (\d+)"), "Internet Explorer"),
)
_ROBOT = re.compile(r"compatible; ([\w.-]+(?:/[\d.]+)?)")
_PRODUCT = re.compile(r"([^\s/()]+)(?:/(\d+(?:\.\d+)?))?")


def short_agent(text: str | None) -> str:
    """Browser and major version, a robot's name, or the first product: `Chrome 141`, `python-requests 2.32`."""
    if not text:
        return "-"
    if (robot := _ROBOT.search(text)) and not robot[1].startswith("MSIE"):
        return robot[1].replace("/", " ")[:_MOST_CHARACTERS]
    if text.startswith("Mozilla/"):
        for pattern, name in _BROWSERS:
            if match := pattern.search(text):
                return f"{name} {match[1]}"
    product = _PRODUCT.match(text)
    if product is None:
        return text[:_MOST_CHARACTERS]
    return " ".join(part for part in product.groups() if part)[:_MOST_CHARACTERS]
