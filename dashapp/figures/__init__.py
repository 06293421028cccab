"""Builders of figures. Colours are names of CSS roles, which the browser replaces; see figures.base."""
