"""What surrounds every page: top bar, tool bar, messages, and the state in the address."""

from __future__ import annotations

from dashapp.shell.callbacks import register
from dashapp.shell.layout import layout, skeleton

__all__ = ["layout", "register", "skeleton"]
