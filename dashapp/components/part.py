"""A part of a page that is read by itself, and may fail by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dash import html, no_update
from dash.development.base_component import Component

from dashapp.components.attributes import data
from dashapp.components.card import icon
from dashapp.parts import LIMIT_S, Failed
from dashapp.words import Words

Value = TypeVar("Value")


def skeleton(words: Words) -> Component:
    """A plain block in the place of what is being read."""
    return html.Div(className="skeleton", **data(late=words("late")))


def part(part_id: str, words: Words, *, size: str = "") -> Component:
    """The place of a part, `<id>`, and of what is said where it failed, `<id>-failed`."""
    return html.Div(
        [
            html.Div(skeleton(words), id=part_id, className=size),
            html.Div(id=f"{part_id}-failed", className="failed", role="alert"),
        ],
        className="part",
    )


def shown(
    value: Value | Failed, make: Callable[[Value], Any], *, title: str, words: Words, kept_since: str | None, blank: Any
) -> tuple[Any, Any]:
    """What stands in the place of a part, and what is said where it failed.

    Args:
        value: what was read, or why it was not.
        make: builds the part.
        title: what failed, for the sentence.
        words: the language.
        kept_since: when the values on the page were read, where they belong to the same view; they then stay.
        blank: what stands there otherwise.
    """
    if not isinstance(value, Failed):
        return make(value), None
    return blank if kept_since is None else no_update, failure(value, title, words, kept_since)


def failure(failed: Failed, title: str, words: Words, kept_since: str | None = None) -> list[Component]:
    """What failed, why, the number to look for in the log, and a button that tries again."""
    age = [html.P(words("failed_kept", at=kept_since), className="age")] if kept_since else []
    return [
        html.P(words("failed_title", part=title), className="b"),
        html.P(
            [
                words(failed.reason, seconds=f"{LIMIT_S:g}"),
                " ",
                html.Span(words("failed_request", request=failed.request), className="text-nowrap"),
            ]
        ),
        *age,
        retry(words),
    ]


def retry(words: Words) -> Component:
    """A button that reads the page again."""
    return html.Button([icon("refresh"), words("retry")], type="button", className="button", **data(act="retry"))
