"""After calls of one endpoint, another fails or is slow. Pure; and never a proof."""

from __future__ import annotations

from dashapp.insight.concentration import Concentration, network_of

__all__ = ["Concentration", "network_of"]
