"""Top bar, tool bar and the place of the page.

Ids: shell-tabs, shell-lang-ko, shell-lang-en, shell-theme, shell-complete, shell-refresh, shell-service,
shell-range-<quick>, shell-start, shell-end, shell-apply, shell-chips, shell-error (what is wrong with the
address, shell-problem, or the database, shell-database), shell-failure (a callback), shell-page.
"""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashapp.components.attributes import aria
from dashapp.components.card import icon
from dashapp.shell import navigation
from dashapp.site import Site
from dashapp.words import LANGUAGES, Words

REFRESH_MS = 30_000
# An empty value would be taken for a placeholder and hidden.
ALL_SERVICES = "*"


def layout(site: Site) -> Component:
    """The whole document in the viewer's language."""
    return skeleton(site, site.words())


def skeleton(site: Site, words: Words) -> Component:
    """Everything but what depends on the address."""
    return html.Div(
        [
            dcc.Location(id="shell-url", refresh=False),
            dcc.Store(id="shell-tick", data=0),
            dcc.Store(id="shell-shown"),
            dcc.Store(id="shell-theme-name"),
            dcc.Interval(id="shell-interval", interval=REFRESH_MS),
            html.A(words("skip"), href="#shell-page", className="skip"),
            _top_bar(site, words),
            _tool_bar(site, words),
            html.Div(
                [html.Div(id="shell-problem"), html.Div(id="shell-database")],
                id="shell-error",
                className="message",
                role="status",
            ),
            html.Div(id="shell-failure", className="message failure", role="alert"),
            html.Main(id="shell-page", tabIndex="-1"),
        ]
    )


def _top_bar(site: Site, words: Words) -> Component:
    languages = [
        html.A(
            language.upper(),
            id=f"shell-lang-{language}",
            href=f"?lang={language}",
            lang=language,
            **aria(current="true" if language == words.language else None),
        )
        for language in LANGUAGES
    ]
    return html.Header(
        [
            html.Div(site.settings.company_name, className="brand"),
            html.Nav(
                navigation.tabs("", site.view(None)),
                id="shell-tabs",
                className="tabs",
                **aria(label=words("pages")),
            ),
            html.Div(
                [
                    html.Div(languages, className="seg2", role="group", **aria(label=words("language"))),
                    html.Button(
                        icon("theme"),
                        id="shell-theme",
                        className="tb-ic",
                        type="button",
                        title=words("to_dark"),
                        **aria(label=words("to_dark")),
                    ),
                ],
                className="tb-r",
            ),
        ],
        className="topbar",
    )


def _tool_bar(site: Site, words: Words) -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H1(words("title")),
                    html.Div(id="shell-service-box", className="service", children=service_select([], None, words)),
                    html.Div(id="shell-chips", className="chips"),
                    html.Span(className="grow"),
                    html.Span(
                        [html.I(className="dot"), html.Span(id="shell-complete")], className="fresh", role="status"
                    ),
                    html.Button(
                        icon("refresh"),
                        id="shell-refresh",
                        className="button ico",
                        type="button",
                        title=words("refresh"),
                        **aria(label=words("refresh")),
                    ),
                    html.Button(
                        [icon("clock"), html.Span(id="shell-range-name")],
                        id="shell-range-toggle",
                        className="button only-n",
                        type="button",
                        **aria(controls="shell-range-row"),
                    ),
                ],
                className="bar-a",
            ),
            html.Div(_range_row(site, words), id="shell-range-row", className="bar-b"),
        ],
        className="bar",
        **aria(label=words("range_and_filters")),
    )


def _range_row(site: Site, words: Words) -> list[Component]:
    return [
        html.Span("Last", className="lab", id="shell-last-label"),
        html.Div(
            navigation.ranges("", site.view(None)),
            id="shell-ranges",
            className="seg",
            role="group",
            **aria(labelledby="shell-last-label"),
        ),
        html.Span(className="vr only-w"),
        *_moment("Start", "shell-start", words),
        *_moment("End", "shell-end", words),
        html.Button("Apply", id="shell-apply", className="button pri", type="button"),
    ]


def _moment(label: str, field: str, words: Words) -> list[Component]:
    # Plain text, not datetime-local: browsers show that one in their own locale, with AM and PM.
    return [
        html.Label(label, htmlFor=field, className="lab"),
        dcc.Input(
            id=field,
            type="text",
            className="inp moment",
            autoComplete="off",
            maxLength=25,
            debounce=False,
            placeholder=words("moment_hint"),
        ),
    ]


def service_select(services: list[str], chosen: str | None, words: Words) -> Component:
    """The select of services; a chosen one is listed even where it never sent anything."""
    names = sorted({*services, *([chosen] if chosen else [])})
    return html.Div(
        [
            html.Label(words("service"), htmlFor="shell-service", className="sr"),
            dbc.Select(
                id="shell-service",
                value=chosen or ALL_SERVICES,
                options=[
                    {"label": words("all_services"), "value": ALL_SERVICES},
                    *({"label": n, "value": n} for n in names),
                ],
                size="sm",
            ),
        ]
    )
