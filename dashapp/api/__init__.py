"""The read API: the figures of the pages as JSON, from the same functions."""

from dashapp.api.blueprint import api_blueprint

__all__ = ["api_blueprint"]
