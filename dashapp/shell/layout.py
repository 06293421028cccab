"""Top bar, tool bar and the place of the page.

Ids: shell-tabs, shell-lang-ko, shell-lang-en, shell-theme, shell-complete, shell-refresh, shell-range-<quick>,
shell-start, shell-end, shell-apply, shell-chips, the menus shell-filter (-field, -value, -add), shell-auto
(shell-refresh-<choice>), shell-compare (shell-vs-<kind>, shell-vs-start, shell-vs-apply) and shell-export,
shell-error (what is wrong with the address, shell-problem, or the database, shell-database), shell-failure
(a callback), shell-page.
"""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashapp.access.identity import current
from dashapp.access.rights import ACCOUNT
from dashapp.components.attributes import aria
from dashapp.components.card import icon
from dashapp.shell import navigation
from dashapp.shell.filter_form import filter_form
from dashapp.shell.menus import chevron, menu
from dashapp.site import Site
from dashapp.view import DEFAULT_REFRESH
from dashapp.words import LANGUAGES, Words

REFRESH_MS = 30_000


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
                    *_who(words),
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


def _who(words: Words) -> list[Component]:
    """Who is signed in, or that nobody has to be."""
    me = current()
    if me.kind == "guest":
        return []
    text = words("open_short") if me.kind in ("local", "open") else me.name
    inside = [icon("user"), html.Span(text, className="t ell")]
    return [html.A(inside, href=ACCOUNT, className="who", title=text, **aria(label=f"{words('my_account')}: {text}"))]


def _tool_bar(site: Site, words: Words) -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H1(words("title")),
                    html.Span(className="vr only-w"),
                    html.Div(id="shell-chips", className="chips"),
                    menu(
                        "shell-filter",
                        [icon("plus"), words("filter"), html.Span(id="shell-filter-count", className="cnt only-n")],
                        filter_form(words),
                        name=words("filter_open"),
                        kind="add",
                    ),
                    html.Span(className="grow"),
                    html.Span(
                        [html.I(className="dot"), html.Span(id="shell-complete")], className="fresh", role="status"
                    ),
                    html.Div(_refresh(words), className="grp"),
                    menu(
                        "shell-export",
                        [icon("export"), words("export")],
                        html.Div(id="shell-export-choices", className="choices"),
                        name=words("export"),
                        kind="right",
                    ),
                ],
                className="bar-a",
            ),
            html.Div(
                [
                    html.Button(
                        [icon("clock"), html.Span(id="shell-range-name"), html.Span(className="grow"), chevron()],
                        id="shell-range-toggle",
                        className="button only-n",
                        type="button",
                        **aria(controls="shell-range-row"),
                    ),
                    html.Div(_range_row(site, words), id="shell-range-row", className="ranges"),
                    html.Span(className="grow"),
                    menu(
                        "shell-compare",
                        [html.Span(words("compare"), className="l"), html.Span(id="shell-compare-name"), chevron()],
                        _compare(words),
                        name=words("compare"),
                        kind="right",
                    ),
                ],
                id="shell-range-bar",
                className="bar-b",
            ),
        ],
        className="bar",
        **aria(label=words("range_and_filters")),
    )


def _refresh(words: Words) -> list[Component]:
    return [
        html.Button(
            icon("refresh"),
            id="shell-refresh",
            className="button ico",
            type="button",
            title=words("refresh"),
            **aria(label=words("refresh")),
        ),
        menu(
            "shell-auto",
            [
                html.Span(words("auto"), className="l"),
                html.Span(DEFAULT_REFRESH, id="shell-refresh-name"),
                chevron(),
            ],
            html.Div(id="shell-refresh-choices", className="choices"),
            name=words("auto_refresh"),
            kind="right",
        ),
    ]


def _compare(words: Words) -> list[Component]:
    return [
        html.Div(id="shell-compare-choices", className="choices"),
        html.Label(words("vs_start"), htmlFor="shell-vs-start", className="lab"),
        html.Div(
            [
                dcc.Input(
                    id="shell-vs-start",
                    type="text",
                    className="inp moment",
                    autoComplete="off",
                    maxLength=25,
                    placeholder=words("moment_hint"),
                ),
                html.Button(words("vs_apply"), id="shell-vs-apply", className="button pri", type="button"),
            ],
            className="line",
        ),
    ]


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
