"""A process that sends one message and ends: `python -m dashapp.alerts.outgoing`, told what to do on its input.

It is a process of its own so that a channel that hangs can be ended, and that nothing it imports or opens stays in the
dashboard. What it answers names a channel by its service, and by its host where that is no secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections import Counter
from typing import Any

from dashapp.alerts import guard

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_STATUS = re.compile(r"error=(\d{3})\b")
_NAME = re.compile(r"[\w.-]{1,100}|\[?[0-9a-fA-F:.]{2,45}\]?")


def main() -> None:
    """Do what the input says and print what became of it."""
    asked = json.loads(sys.stdin.read())
    # A library that prints must not spoil the answer.
    with contextlib.redirect_stdout(sys.stderr):
        answer = run(asked)
    sys.stdout.write(json.dumps(answer))


def run(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Name the channels, or send to some of them."""
    if not asked["allow_internal"]:
        guard.install()
        for name in _PROXIES:  # where a proxy leads cannot be seen from here
            os.environ.pop(name, None)
    import apprise
    from apprise.logger import LogCapture

    asset = apprise.AppriseAsset(app_id="accessboard", app_desc="accessboard", app_url="", async_mode=False)
    channels = [apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True) for url in asked["urls"]]
    found = []
    for name, channel in zip(_names(channels), channels, strict=True):
        if asked["only"] is not None and name not in asked["only"]:
            continue
        error = None if channel is not None else "this is no address that Apprise knows"
        if channel is not None and asked["send"]:
            guard.refused.clear()
            with LogCapture(level=30) as said:  # type: ignore[no-untyped-call]
                try:
                    sent = channel.notify(title=asked["title"], body=asked["body"], body_format="text")
                except Exception as failure:
                    sent, error = False, f"not sent: {type(failure).__name__}"
                if not sent:
                    error = _reason(said.getvalue()) or error or "not delivered"
        found.append({"channel": name, "error": error})
    return found


def name_of(channel: Any) -> str:
    """Service of a channel, and its host if it has one of its own: in many addresses a key stands in its place."""
    if channel is None:
        return "unknown"
    name = str(channel.service_name)
    host = str(getattr(channel, "host", "") or "")
    own = "host" in channel.template_tokens and ("." in host or ":" in host or host == "localhost")
    return f"{name} {host}" if own and _NAME.fullmatch(host) else name


def _names(channels: list[Any]) -> list[str]:
    """Names of channels; the second of the same name gets its number."""
    seen: Counter[str] = Counter()
    names = []
    for channel in channels:
        name = name_of(channel)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _reason(said: str) -> str | None:
    """Why it was not sent; nothing of what a library says is passed on, for it may hold a key."""
    if guard.refused:
        return f"{guard.refused[0]} is an internal address (ALERT_ALLOW_INTERNAL)"
    status = _STATUS.search(said)
    if status is not None:
        return f"the channel answered {status[1]}"
    return "no connection" if "onnection error" in said else None


if __name__ == "__main__":
    main()
