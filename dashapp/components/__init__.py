"""Builders of page parts: data in, components out; no database, no callback."""
