"""The form that adds a filter: a field, a value with suggestions, a button."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashapp.words import Words

FIELDS = ("service", "method", "route", "status", "client_ip", "text", "agent", "attribute", "latency_min")


def filter_form(words: Words) -> list[Component]:
    """The form, without suggestions."""
    return [
        html.Label(words("filter_field"), htmlFor="shell-filter-field", className="lab"),
        dbc.Select(
            id="shell-filter-field",
            value=FIELDS[0],
            options=[{"label": words(f"field_{name}"), "value": name} for name in FIELDS],
            size="sm",
        ),
        html.Label(words("filter_value"), htmlFor="shell-filter-value", className="lab"),
        dcc.Input(
            id="shell-filter-value",
            type="text",
            className="inp",
            autoComplete="off",
            maxLength=500,
            list="shell-filter-values",
            debounce=False,
        ),
        html.Datalist(id="shell-filter-values"),
        html.Button(words("filter_add"), id="shell-filter-add", className="button pri", type="button"),
    ]
