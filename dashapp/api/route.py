"""One path of the API: what it takes, what it answers, and the function behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashapp.api.inputs import Input
from dashapp.api.model import Answer


@dataclass(frozen=True, slots=True)
class Route:
    """A path under /api.

    `make` is called with a reading, the context and the value of each input by its name. Answers that are `shared`
    go to everybody who asks the same at the same moment.
    """

    path: str
    text: str
    make: Callable[..., Answer]
    model: type[Answer]
    inputs: tuple[Input, ...] = ()
    shared: bool = True
