"""Callbacks of the shell: which page, what the tool bar shows, and where its controls lead."""

from __future__ import annotations

import logging
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from dashapp import format as fmt
from dashapp.access.identity import current
from dashapp.access.rights import needed
from dashapp.shell import menus, navigation
from dashapp.site import Site
from dashapp.stats.suggestions import suggestions
from dashapp.view import DEFAULT_REFRESH, REFRESH_SECONDS, View, address, parameters_of
from sql.connection import BadPattern, DatabaseUnavailable, snapshot

log = logging.getLogger(__name__)


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the shell."""

    def show_page(path: str, search: str) -> Any:
        words = site.words(search)
        page = navigation.page_at(path)
        if page is not None and not current().may(level := needed("GET", path)):
            text = words("may_not", role=words(f"role_{level}"))
            return html.Section([html.P(text, className="b")], className="card empty")
        if page is not None:
            return page.layout(site, words)
        link = html.A(words("to_overview"), href="/", className="button")
        return html.Section([html.P(words("not_found"), className="b"), link], className="card empty")

    def show_shell(path: str, search: str, _tick: int, shown: list[str] | None, start: str, end: str) -> dict[str, Any]:
        view, words, complete = site.view(search), site.words(search), site.complete()
        moments = [fmt.local_minute(moment, site.zone) for moment in (view.whole.start, view.whole.end)]
        # A refresh must not overwrite what someone is typing.
        typing = ctx.triggered_id == "shell-tick" and shown is not None and [start, end] != shown
        return {
            "tabs": navigation.tabs(path, view),
            "ranges": navigation.ranges(path, view),
            "range_name": navigation.range_name(view, site.zone),
            "rangeless": navigation.is_rangeless(path),
            "chips": navigation.chips(path, view, words),
            "filter_count": str(len(view.counted) or ""),
            "refresh": menus.refresh_choices(path, view),
            "refresh_name": view.refresh,
            "seconds": (REFRESH_SECONDS[view.refresh] or REFRESH_SECONDS[DEFAULT_REFRESH] or 0) * 1000,
            "still": REFRESH_SECONDS[view.refresh] is None,
            "compareless": not navigation.compares(path),
            "compare": menus.compare_choices(path, view, words),
            "compare_name": menus.compare_label(view, site.zone, words),
            "exports": menus.export_choices(path, view, words),
            "complete": navigation.complete_text(
                fmt.clock_seconds(complete, site.zone), fmt.zone_name(complete, site.zone)
            ),
            "languages": [view.link(path, lang="ko"), view.link(path, lang="en")],
            "start": no_update if typing else moments[0],
            "end": no_update if typing else moments[1],
            "shown": no_update if typing else moments,
            "problem": navigation.problem(path, view, words),
        }

    def suggest(search: str, _tick: int, field: str) -> tuple[Any, str | None]:
        view, words = site.view(search), site.words(search)
        if current().pinned:  # names of what the link does not show are nobody's business
            return [], None
        try:
            question = ("suggestions", field, view.whole, view.filters)
            values = site.shared.get(question, lambda: _values(site, field, view))
        except BadPattern:  # what the page cannot read it says itself
            return [], None
        except DatabaseUnavailable as error:
            log.warning("no suggestions: %s", error)
            return no_update, words("database_away")
        return [html.Option(value=value) for value in values], None

    def go(_clicks: int, _start: int, _end: int, search: str, start: str, end: str) -> Any:
        moments = {"start": _typed(start), "end": _typed(end)}
        return address("", parameters_of(search), last=None, **moments) if any(moments.values()) else no_update

    def add_filter(_clicks: int, _enter: int, search: str, field: str, value: str | None) -> tuple[Any, Any]:
        text = (value or "").strip()
        return (address("", parameters_of(search), **{field: text}), "") if text else (no_update, no_update)

    def compare_from(_clicks: int, _enter: int, search: str, start: str | None) -> Any:
        moment = _typed(start)
        return address("", parameters_of(search), vs=None, vs_start=moment) if moment else no_update

    app.callback(Output("shell-page", "children"), Input("shell-url", "pathname"), State("shell-url", "search"))(
        show_page
    )
    app.callback(
        output={
            "tabs": Output("shell-tabs", "children"),
            "ranges": Output("shell-ranges", "children"),
            "range_name": Output("shell-range-name", "children"),
            "rangeless": Output("shell-range-bar", "hidden"),
            "chips": Output("shell-chips", "children"),
            "filter_count": Output("shell-filter-count", "children"),
            "refresh": Output("shell-refresh-choices", "children"),
            "refresh_name": Output("shell-refresh-name", "children"),
            "seconds": Output("shell-interval", "interval"),
            "still": Output("shell-interval", "disabled"),
            "compareless": Output("shell-compare", "hidden"),
            "compare": Output("shell-compare-choices", "children"),
            "compare_name": Output("shell-compare-name", "children"),
            "exports": Output("shell-export-choices", "children"),
            "complete": Output("shell-complete", "children"),
            "languages": [Output("shell-lang-ko", "href"), Output("shell-lang-en", "href")],
            "start": Output("shell-start", "value"),
            "end": Output("shell-end", "value"),
            "shown": Output("shell-shown", "data"),
            "problem": Output("shell-problem", "children"),
        },
        inputs=[
            Input("shell-url", "pathname"),
            Input("shell-url", "search"),
            Input("shell-tick", "data"),
            State("shell-shown", "data"),
            State("shell-start", "value"),
            State("shell-end", "value"),
        ],
    )(show_shell)
    # Apart from the rest, which must work while the database is away.
    app.callback(
        Output("shell-filter-values", "children"),
        Output("shell-database", "children"),
        Input("shell-url", "search"),
        Input("shell-tick", "data"),
        Input("shell-filter-field", "value"),
    )(suggest)
    app.callback(
        Output("shell-url", "search"),
        Input("shell-apply", "n_clicks"),
        Input("shell-start", "n_submit"),
        Input("shell-end", "n_submit"),
        State("shell-url", "search"),
        State("shell-start", "value"),
        State("shell-end", "value"),
        prevent_initial_call=True,
    )(go)
    app.callback(
        Output("shell-url", "search", allow_duplicate=True),
        Output("shell-filter-value", "value"),
        Input("shell-filter-add", "n_clicks"),
        Input("shell-filter-value", "n_submit"),
        State("shell-url", "search"),
        State("shell-filter-field", "value"),
        State("shell-filter-value", "value"),
        prevent_initial_call=True,
    )(add_filter)
    app.callback(
        Output("shell-url", "search", allow_duplicate=True),
        Input("shell-vs-apply", "n_clicks"),
        Input("shell-vs-start", "n_submit"),
        State("shell-url", "search"),
        State("shell-vs-start", "value"),
        prevent_initial_call=True,
    )(compare_from)
    _register_clientside(app)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("accessboard", "showTab"),
        Output("shell-tabs", "data-shown"),
        Input("shell-tabs", "children"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "tick"),
        Output("shell-tick", "data"),
        Input("shell-interval", "n_intervals"),
        Input("shell-refresh", "n_clicks"),
        State("shell-url", "search"),
        State("shell-tick", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "forgetFailure"),
        Output("shell-failure", "children"),
        Input("shell-url", "href"),
        Input("shell-tick", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "switchTheme"),
        Output("shell-theme-name", "data"),
        Input("shell-theme", "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "toggleRanges"),
        Output("shell-range-row", "className"),
        Input("shell-range-toggle", "n_clicks"),
        Input("shell-url", "search"),
        State("shell-range-row", "className"),
        prevent_initial_call=True,
    )


def _values(site: Site, field: str, view: View) -> list[str]:
    with snapshot(site.engine) as reading:
        return suggestions(reading, field, view.whole, view.filters)


def _typed(text: str | None) -> str | None:
    return (text or "").strip().replace(" ", "T", 1) or None
