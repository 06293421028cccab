"""Columns and rows of the endpoint table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashapp import format as fmt
from dashapp.components.endpoint_tables import is_notable
from dashapp.stats.usage import Endpoint
from dashapp.words import Words

_PERCENTILES = ("p50", "p90", "p95", "p99")
# A phone has room for four columns; the others come back when the window is wide.
_PHONE_WIDTHS = {"route": None, "count": 78, "error_rate": 78, "p95": 66}


def column_defs(words: Words, *, phone: bool) -> list[dict[str, Any]]:
    """Numbers sort by value and show the text that the server made, so all pages round alike."""
    columns: list[dict[str, Any]] = [
        {
            "field": "method",
            "headerName": words("method"),
            "width": 84,
            "cellClass": "m",
        },
        {
            "field": "route",
            "headerName": words("route"),
            "minWidth": 90 if phone else 220,
            "flex": 1,
            "cellClass": "rt",
            "tooltipField": "route",
        },
        _number("count", words("calls"), 96, sort="desc"),
        _number("share", words("share"), 150, cellRenderer="ShareBar"),
        _number(
            "error_rate",
            words("error_rate"),
            92,
            cellClass={"function": "params.data.notable ? 'ag-right-aligned-cell bad' : 'ag-right-aligned-cell'"},
        ),
        _number("mean", words("mean"), 84),
        *(_number(name, name, 84) for name in _PERCENTILES),
        _number("max", words("max"), 92),
    ]
    if phone:
        return [_on_phone(column) for column in columns]
    return columns


def _on_phone(column: dict[str, Any]) -> dict[str, Any]:
    if column["field"] not in _PHONE_WIDTHS:
        return column | {"hide": True}
    width = _PHONE_WIDTHS[column["field"]]
    return column | ({"width": width} if width else {})


def grid_rows(endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """A row per endpoint: values to sort by, and under `text` what the cells show."""
    most = max((endpoint.share for endpoint in endpoints), default=0) or 1
    return [_row(endpoint, most) for endpoint in endpoints]


def _row(endpoint: Endpoint, most_share: float) -> dict[str, Any]:
    latency = endpoint.latency
    measured = {name: getattr(latency, name) for name in ("mean", *_PERCENTILES, "max")}
    return {
        "id": f"{endpoint.method} {endpoint.route}",
        "method": endpoint.method,
        "route": endpoint.route,
        "count": endpoint.count,
        "share": endpoint.share,
        "bar": round(endpoint.share / most_share, 4),
        "error_rate": endpoint.error_rate,
        "notable": is_notable(endpoint),
        **measured,
        "text": {
            "count": fmt.count(endpoint.count),
            "share": fmt.rate(endpoint.share),
            "error_rate": fmt.rate(endpoint.error_rate),
            **{name: fmt.ms_number(value) for name, value in measured.items()},
        },
    }


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
