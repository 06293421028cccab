"""Whether the body of a callback request is one that a page of ours sends. Pure.

Dash takes such bodies apart without looking: a wrong one ends in an error of the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def is_wellformed(body: Any, known: Mapping[str, Any]) -> bool:
    """Whether a body names a callback of the app, with just the values that it takes and fills.

    Args:
        body: parsed JSON.
        known: `callback_map` of the Dash app.
    """
    if not isinstance(body, dict) or not isinstance(output := body.get("output"), str) or output not in known:
        return False
    callback = known[output]
    for name in ("inputs", "state"):
        if not _are(body.get(name, []), callback[name]):
            return False
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        return False
    return bool(callback.get("no_output")) or _fills(body.get("outputs"), output)


def _are(given: Any, expected: Sequence[Mapping[str, Any]]) -> bool:
    return (
        isinstance(given, list)
        and len(given) == len(expected)
        and all(
            isinstance(each, dict) and (each.get("id"), each.get("property")) == (known["id"], known["property"])
            for each, known in zip(given, expected, strict=True)
        )
    )


def _fills(outputs: Any, output: str) -> bool:
    many = output.startswith("..")
    listed = outputs if many else [outputs]
    names = [name.rsplit(".", 1) for name in output.strip(".").split("...")]
    return (
        isinstance(listed, list)
        and len(listed) == len(names)
        and all(
            isinstance(each, dict)
            and each.get("id") == name
            and str(each.get("property")).partition("@")[0] == prop.partition("@")[0]
            for each, (name, prop) in zip(listed, names, strict=True)
        )
    )
