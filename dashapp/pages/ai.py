"""AI 분석: an analysis on a button, questions about a period, and the history of both.

assets/ai.js asks the API and tells these callbacks what has come: `ai-done` (an entry that was made, or why none was),
`ai-opened` (an entry that somebody opened), `ai-compared`, `ai-asked` (a thread), `ai-filter`, `ai-listed` (how many).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.ai import prompting
from dashapp.ai.analyst import TASK
from dashapp.ai.asking.conversation import LONGEST_QUESTION
from dashapp.ai.desk import AiDesk, Budget
from dashapp.ai.viewing import Shown, shown_of
from dashapp.api_ai import ROOT
from dashapp.components.ai_answers import conversation
from dashapp.components.ai_history import FILTERS, entry_facts, entry_tools, history_list, reason_text, thumbs
from dashapp.components.ai_result import analysis_view, checked_mark, window_text
from dashapp.components.ai_text import source_badge
from dashapp.components.ai_usage import sources_list, usage_body
from dashapp.components.attributes import aria, data
from dashapp.components.card import card, icon, note
from dashapp.components.part import failure
from dashapp.parts import Failed, Parts
from dashapp.site import Site
from dashapp.words import Words
from sql.ai_history import Entry, count_entries, find_entries, last_analysis, open_entry, thread_of
from sql.connection import Reading

PATH = "/ai"
TAB = "AI 분석"
COMPARES = False
WINDOWS = (5, 15, 30, 60, 180, 1440)
LISTED = 20
_EXAMPLES = 3


def layout(_site: Site, words: Words) -> Component:
    """The page before anything was read."""
    stores = [
        dcc.Store(id=f"ai-{name}") for name in ("done", "opened", "compared", "asked", "filter", "listed", "tested")
    ]
    main = html.Div([_analysis_card(words), _questions_card(words)], className="c8 col")
    side = html.Div([_usage_card(words), _history_card(words), _sources_card(words)], className="c4 col")
    page = data(root=f"/api{ROOT}", lang=words.language)
    return html.Div([*stores, main, side], className="g ai-page", id="ai-page", **page)


def register(app: Dash, site: Site) -> None:
    """Add the callbacks."""
    desk = AiDesk(site.settings, site.engine, None, site.now)

    def show(search: str, done: Any, opened: Any, compared: Any) -> tuple[Any, ...]:
        return panel(site, site.words(search), _entry_id(opened) or _entry_id(done), done, _entry_id(compared))

    def show_side(search: str, _done: Any, _asked: Any, _tested: Any, opened: Any, source: Any, listed: Any) -> Any:
        return side(site, desk, site.words(search), _entry_id(opened), source, listed)

    def show_thread(search: str, asked: Any) -> Any:
        return thread(site, site.words(search), (asked or {}).get("thread") if isinstance(asked, dict) else None)

    app.callback(
        [Output("ai-head", "children"), Output("ai-result", "children"), Output("ai-entry", "children")],
        Input("shell-url", "search"),
        Input("ai-done", "data"),
        Input("ai-opened", "data"),
        Input("ai-compared", "data"),
    )(show)
    app.callback(
        [Output("ai-usage", "children"), Output("ai-history", "children"), Output("ai-count", "children")],
        Input("shell-url", "search"),
        Input("ai-done", "data"),
        Input("ai-asked", "data"),
        Input("ai-tested", "data"),
        Input("ai-opened", "data"),
        Input("ai-filter", "data"),
        Input("ai-listed", "data"),
    )(show_side)
    app.callback(Output("ai-thread", "children"), Input("shell-url", "search"), Input("ai-asked", "data"))(show_thread)
    app.callback(
        Output("ai-test-result", "children"), Input("ai-tested", "data"), State("shell-url", "search"),
        prevent_initial_call=True,
    )(partial(_say_test, site))  # fmt: skip


def panel(site: Site, words: Words, entry: int | None, done: Any, compared: int | None) -> tuple[Any, Any, Any]:
    """Head, body and tools of an entry, or of the last analysis; beside it the one it is compared with."""

    def read(reading: Reading) -> tuple[Shown | None, Shown | None, list[Entry]]:
        opened = open_entry(reading, entry) if entry else last_analysis(reading)
        other = open_entry(reading, compared) if compared else None
        listed = find_entries(reading, most=50, kind="analysis")
        return shown_of(reading, opened) if opened else None, shown_of(reading, other) if other else None, listed

    with Parts(site.engine) as parts:
        found = parts.read(read)
    if isinstance(found, Failed):
        return None, html.Div(failure(found, words("ai"), words), className="failed", role="alert"), None
    shown, other, listed = found
    problem = _problem(done, words)
    if shown is None:
        said = [html.P(problem, className="ai-notice", role="status")] if problem else []
        return None, [*said, note(words("ai_never_yet")), note(words("ai_intro"))], None
    tools = _tools(shown, listed, site, words, is_open=entry is not None and not _is_new(done, entry))
    if entry is not None and shown.entry.kind == "question":
        return _head(shown, words, site), conversation([shown], site.zone, words), tools
    body = analysis_view(shown, words, notice=problem or notice_of(shown, site, words))
    if other is not None and other.result is not None:
        sides = [[_side_head(each, words, site), *analysis_view(each, words)] for each in (shown, other)]
        body = [html.Div([html.Div(each) for each in sides], className="ai-beside")]
    return _head(shown, words, site), body, tools


def notice_of(shown: Shown, site: Site, words: Words) -> str | None:
    """Why a result is not the model's, or not new."""
    entry = shown.entry
    if entry.source == "unchanged":
        return words("ai_unchanged", when=fmt.day_clock(shown.made_by.created_at, site.zone))
    if entry.rerun_of is not None and entry.reason is None:
        return words("ai_rerun_note")
    if entry.reason is None:
        return None
    if entry.reason == "budget":
        resets = AiDesk(site.settings, site.engine, None, site.now).resets()
        return words(
            "ai_why_budget", max=f"${site.settings.max_daily_cost:.2f}", resets=fmt.day_clock(resets, site.zone)
        )
    said = reason_text(entry.reason, words)
    is_plain = entry.reason in ("no_key", "no_data", "per_minute", "cancelled", "interrupted")
    return said if is_plain or shown.result is None else " ".join((said, words("ai_served_by_rules")))


def side(
    site: Site, desk: AiDesk, words: Words, opened: int | None, source: Any, listed: Any
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Today's use, the history, and how many entries it has."""
    wanted = source if source in FILTERS else None
    most = listed if isinstance(listed, int) and 0 < listed <= 1_000 else LISTED

    def read(reading: Reading) -> tuple[Budget, list[Entry], int]:
        return desk.budget(reading), find_entries(reading, most=most, source=wanted), count_entries(reading)

    with Parts(site.engine) as parts:
        found = parts.read(read)
    if isinstance(found, Failed):
        return html.Div(failure(found, words("ai_history"), words), className="failed"), None, None
    budget, entries, count = found
    more = [
        html.Button(
            words("ai_history_more"),
            type="button",
            className="button sm",
            **data(act="ai-more", most=str(most + LISTED)),
        )
    ]
    history = [history_list(entries, opened, site.now(), site.zone, words), *(more if len(entries) == most else [])]
    return usage_body(budget, site.settings, words), history, fmt.count(count)


def thread(site: Site, words: Words, name: str | None) -> Any:
    """The conversation, or what might be asked."""
    if not name:
        examples = [
            html.Button(words(f"ai_example_{n + 1}"), type="button", className="button sm", **data(act="ai-example"))
            for n in range(_EXAMPLES)
        ]
        return html.Div(
            [html.P(words("ai_ask_period"), className="note left"), html.Div(examples, className="examples")]
        )
    with Parts(site.engine) as parts:
        found = parts.read(lambda reading: [shown_of(reading, each) for each in thread_of(reading, name)])
    if isinstance(found, Failed):
        return html.Div(failure(found, words("ai_questions"), words), className="failed")
    return conversation(found, site.zone, words)


def _tools(shown: Shown, listed: list[Entry], site: Site, words: Words, *, is_open: bool) -> list[Any]:
    """Whether it helped; and, open where somebody opened the entry, all that is kept of it."""
    kept = [entry_tools(shown, listed, prompting.versions(TASK), site.zone, words), entry_facts(shown, words)]
    when = fmt.day_clock(shown.entry.created_at, site.zone)
    fold = html.Details([html.Summary(words("ai_kept", when=when)), *kept], className="ai-fold ai-whole", open=is_open)
    return [thumbs(shown.entry, words), fold] if shown.entry.kind != "test" else [fold]


def _is_new(done: Any, entry: int) -> bool:
    return isinstance(done, dict) and done.get("id") == entry


def _head(shown: Shown, words: Words, site: Site) -> list[Any]:
    mark = checked_mark(shown.result, shown.made_by.source, words)
    return [source_badge(shown.entry, words), html.Span(window_text(shown, words, site.zone), className="sub"), mark]


def _side_head(shown: Shown, words: Words, site: Site) -> Component:
    when = fmt.day_clock(shown.entry.created_at, site.zone)
    parts = [when, shown.made_by.model or "", shown.made_by.prompt_version or ""]
    return html.H3([source_badge(shown.entry, words), " ", " · ".join(filter(None, parts))], className="lbl")


def _problem(done: Any, words: Words) -> str | None:
    """Why no entry was made at all."""
    if not isinstance(done, dict) or not done.get("error"):
        return None
    code = str(done["error"])
    return words("ai_no_database") if code == "database_unavailable" else words("ai_not_made", code=code[:40])


def _say_test(site: Site, tested: Any, search: str) -> Any:
    """What the test of the connection found."""
    words = site.words(search)
    if not isinstance(tested, dict):
        return None
    if tested.get("status") == "ok":
        key = "ai_test_ok" if tested.get("structured_output") else "ai_test_json_mode"
        return html.Span([html.Span(className="dot"), words(key)], className="fresh")
    error = tested.get("error") or {}
    code = str(error.get("code"))
    known = code == "budget" or words.has(f"ai_why_{code}")
    said = reason_text(code, words) if known else words("ai_not_made", code=code[:40])
    if code == "no_key":
        said = words("ai_test_no_key")
    return html.Span([said, " ", html.Span(error.get("detail") or "", className="mut")], className="bad-text")


def _entry_id(value: Any) -> int | None:
    number = value.get("id") if isinstance(value, dict) else value
    return number if isinstance(number, int) and 0 < number < 2**62 else None


def _analysis_card(words: Words) -> Component:
    windows = [{"label": words(f"ai_window_{each}"), "value": str(each)} for each in WINDOWS]
    windows.append({"label": words("ai_window_range"), "value": "range"})
    chosen = dbc.Select(id="ai-window", options=windows, value=str(WINDOWS[0]), size="sm")
    aside = [
        html.Label([html.Span(words("ai_window"), className="visually-hidden"), chosen]),
        html.Button(words("ai_analyze"), id="ai-analyze", className="button pri", type="button"),
        html.Button(words("ai_cancel"), id="ai-cancel", className="button", type="button", hidden=True),
    ]
    running = html.P(words("ai_running"), id="ai-running", className="ai-running", hidden=True, role="status")
    body = [
        html.Div(id="ai-head", className="meta"),
        running,
        html.Div(html.Div(className="skeleton"), id="ai-result", **aria(live="polite")),
        html.Div(id="ai-entry"),
    ]
    return card(words("ai"), body, aside=aside, width="")


def _questions_card(words: Words) -> Component:
    field = dcc.Input(
        id="ai-question",
        type="text",
        placeholder=words("ai_ask_placeholder"),
        maxLength=LONGEST_QUESTION,
        className="input",
        autoComplete="off",
    )
    send = [icon("up"), html.Span(words("ai_ask"), className="visually-hidden")]
    form = html.Form(
        [
            html.Label(words("ai_ask"), htmlFor="ai-question", className="visually-hidden"),
            field,
            html.Button(send, id="ai-ask", type="submit", className="button pri ico", title=words("ai_ask")),
        ],
        id="ai-form",
        className="ask",
        **data(thinking=words("ai_thinking"), tool=words("ai_used_tool", tool="{tool}")),
    )
    body = [html.Div(id="ai-thread"), html.Div(id="ai-live", **aria(live="polite")), form]
    new = html.Button(words("ai_new_thread"), id="ai-new", type="button", className="button sm")
    return card(words("ai_questions"), body, subtitle=words("ai_questions_note"), aside=new, width="chat")


def _usage_card(words: Words) -> Component:
    test = html.Button(
        words("ai_test"), id="ai-test", type="button", className="button sm", **data(testing=words("ai_testing"))
    )
    result = html.Div(id="ai-test-result", role="status", className="ai-test")
    return card(
        words("ai_usage"), [html.Div(html.Div(className="skeleton"), id="ai-usage"), result], aside=test, width=""
    )


def _history_card(words: Words) -> Component:
    options = [{"label": words("ai_history_all"), "value": "all"}]
    options += [{"label": words(f"ai_source_{each}"), "value": each} for each in FILTERS]
    chosen = dbc.Select(id="ai-filter-by", options=options, value="all", size="sm")
    label = html.Label([html.Span(words("ai_history_filter"), className="visually-hidden"), chosen])
    body = [
        html.Div(html.Div(className="skeleton"), id="ai-history"),
        html.Div(
            [
                html.Span(words("ai_history_note"), className="mut"),
                html.A(
                    words("ai_history_export"),
                    href=f"/api{ROOT}/history/export",
                    download="accessboard-ai-history.jsonl",
                ),
            ],
            className="hf",
        ),
    ]
    return card(words("ai_history"), body, subtitle="", subtitle_id="ai-count", aside=label, width="")


def _sources_card(words: Words) -> Component:
    return card(words("ai_sources"), sources_list(words), width="")
