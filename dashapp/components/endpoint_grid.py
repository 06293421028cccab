"""Columns and rows of the endpoint table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dashapp import format as fmt
from dashapp.comparison import Change, change
from dashapp.patterns import objection
from dashapp.stats.endpoint_page import Course, Listed
from dashapp.stats.summary import Summary
from dashapp.stats.tally import Latency, is_notable
from dashapp.stats.usage import Endpoint
from dashapp.view import View
from dashapp.words import Words

PATH = "/endpoints"
_PERCENTILES = ("p50", "p90", "p95", "p99")
# A phone has room for four columns; the others come back when the window is wide.
_PHONE_WIDTHS = {"route": None, "count": 68, "error_rate": 72, "p95": 60}
_TREND_STEPS = 99  # enough for 24 pixels, and two digits each


def column_defs(words: Words, *, phone: bool, against: str = "", trend: bool = True) -> list[dict[str, Any]]:
    """Numbers sort by value and show the text that the server made, so all pages round alike.

    `against` names the period compared with; without one there is no such column.
    """
    columns: list[dict[str, Any]] = [
        {
            "field": "route",
            "headerName": words("endpoint"),
            "minWidth": 90 if phone else 220,
            "flex": 1,
            "cellRenderer": "Endpoint",
            "tooltipField": "id",
            "getQuickFilterText": {"function": "params.data.id"},
            "sortingOrder": ["asc", "desc"],
        },
        _number("count", words("calls"), 96, initialSort="desc"),
        _number("share", words("share"), 150, cellRenderer="ShareBar"),
        _number(
            "error_rate",
            words("error_rate"),
            92,
            cellClass={"function": "params.data.notable ? 'ag-right-aligned-cell bad' : 'ag-right-aligned-cell'"},
        ),
        _number("mean", words("mean"), 80),
        *(_number(name, name, 80) for name in _PERCENTILES),
        _number("change", words("p95_against", name=against or ""), 132, cellRenderer="Change", hide=not against),
        {
            "field": "trend",
            "headerName": words("trend"),
            "width": 148,
            "sortable": False,
            "cellRenderer": "Trend",
            "type": "rightAligned",
            "hide": not trend,
        },
    ]
    for column in columns:
        if column["field"] != "route":
            column["getQuickFilterText"] = {"function": "''"}
    return [_on_phone(column) for column in columns] if phone else columns


def _on_phone(column: dict[str, Any]) -> dict[str, Any]:
    if column["field"] not in _PHONE_WIDTHS:
        return column | {"hide": True}
    width = _PHONE_WIDTHS[column["field"]]
    return column | ({"width": width} if width else {})


def grid_rows(
    listed: Listed, view: View, *, by_path: bool = False, courses: Mapping[tuple[str, str], Course] | None = None
) -> list[dict[str, Any]]:
    """A row per endpoint: values to sort by, under `text` what the cells show, and where it leads."""
    endpoints = listed.whole.endpoints
    most = max((endpoint.share for endpoint in endpoints), default=0) or 1
    changes = _changes(listed)
    return [
        _row(
            each,
            most,
            view.link(PATH, **_name(each, by_path=by_path)),
            changes.get((each.method, each.route)),
            (courses or {}).get((each.method, each.route)),
        )
        for each in endpoints
    ]


def total_row(total: Summary, words: Words) -> dict[str, Any]:
    """The sums of all endpoints, of those that are not shown too: the key figures of the view."""
    return {
        "id": "",
        "route": words("total"),
        "total": True,
        **_figures(total.total, 1.0 if total.total else None, total.error_rate, total.latency_ms),
    }


def _name(endpoint: Endpoint, *, by_path: bool) -> dict[str, str | None]:
    """The parameters that name an endpoint; a path is sought as a whole, unless it is too long for a pattern."""
    if by_path:
        whole = f"^{re.escape(endpoint.route)}$"
        sought = {"text": endpoint.route} if objection(whole) else {"regex": whole}
        return {"method": endpoint.method, **sought, "by": None}
    return {"method": endpoint.method, "route": endpoint.route}


def _changes(listed: Listed) -> dict[tuple[str, str], tuple[float, Change]]:
    """The change of the p95 of each endpoint that both sides have, and its size to sort by."""
    if listed.now is None or listed.before is None:
        return {}
    before = {(each.method, each.route): each.latency.p95 for each in listed.before.endpoints}
    found = {}
    for each in listed.now.endpoints:
        former, now = before.get((each.method, each.route)), each.latency.p95
        changed = change(now, former, good="down")
        if changed is not None and now is not None and former:
            found[each.method, each.route] = (round(now / former - 1, 4), changed)
    return found


def _row(
    endpoint: Endpoint, most_share: float, href: str, changed: tuple[float, Change] | None, course: Course | None
) -> dict[str, Any]:
    size, mark = changed or (None, None)
    return {
        "id": f"{endpoint.method} {endpoint.route}",
        "method": endpoint.method,
        "route": endpoint.route,
        "href": href,
        "bar": round(endpoint.share / most_share, 4),
        "notable": is_notable(endpoint.server_errors, endpoint.count),
        **_figures(endpoint.count, endpoint.share, endpoint.error_rate, endpoint.latency),
        "change": size,
        **({"mark": [mark.text, mark.direction, mark.tone]} if mark else {}),
        **({"trend": _scaled(course)} if course else {}),
    }


def _figures(count: int, share: float | None, error_rate: float | None, latency: Latency) -> dict[str, Any]:
    measured = {name: getattr(latency, name) for name in ("mean", *_PERCENTILES)}
    return {
        "count": count,
        "share": share,
        "error_rate": error_rate,
        # Exact to more digits than anybody sorts by, and half as long.
        **{name: None if value is None else round(value, 3) for name, value in measured.items()},
        "text": {
            "count": fmt.count(count),
            "share": fmt.rate(share),
            "error_rate": fmt.rate(error_rate),
            **{name: fmt.ms_number(value) for name, value in measured.items()},
        },
    }


def _scaled(course: Course) -> Course:
    """A course between 0, its least, and _TREND_STEPS, its most; gaps stay."""
    known = [n for n in course if n is not None]
    low, high = min(known, default=0), max(known, default=0)
    if high == low:
        return [None if n is None else _TREND_STEPS // 2 for n in course]
    return [None if n is None else round((n - low) / (high - low) * _TREND_STEPS) for n in course]


def _number(field: str, name: str, width: int, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "width": width,
        "type": "rightAligned",
        "valueFormatter": {"function": "params.data.text[params.colDef.field]"},
        "sortingOrder": ["desc", "asc"],
        **more,
    }
