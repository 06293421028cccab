"""What slow or failed requests have in common: a sentence, and a row of two bars for each value."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import Children, choice_link, note
from dashapp.stats.commonalities import ATTRIBUTE, TIME, Commonality
from dashapp.stats.endpoint_common import AMONG, FEWEST, Among, Common
from dashapp.view import View, moment_text
from dashapp.words import Words

_HIGH_LIFT = 1.5
_NAMED = {"service", "client_ip", "network", "user_agent", "product", "path", "status", TIME}
_TINY = 0.001


def among_links(view: View, path: str, among: Among, words: Words) -> list[Component]:
    """Switch between the slow requests and the failed ones."""
    return [
        choice_link(
            words(f"among_{each}"),
            view.link(path, among=None if each == AMONG[0] else each),
            chosen=each == among,
            link_id=f"endpoints-among-{each}",
        )
        for each in AMONG
    ]


def common_list(common: Common, view: View, zone: ZoneInfo, words: Words) -> Component:
    """The values with the widest difference first, and what was compared with what."""
    if common.examined < FEWEST or not common.compared:
        return html.Div([note(words(f"too_few_{common.among}")), _basis(common, words)])
    if not common.found:
        return html.Div([note(words("nothing_common")), _basis(common, words)])
    rows = [html.Li(_row(each, view, zone, words)) for each in common.found]
    return html.Div([_sentence(common, zone, words), html.Ul(rows, className="fas"), _basis(common, words)])


def _sentence(common: Common, zone: ZoneInfo, words: Words) -> Component:
    first = common.found[0]
    return html.P(
        words.rich(
            f"say_common_{common.among}",
            inside=html.B(fmt.rate(first.share_inside)),
            outside=fmt.rate(first.share_outside),
            field=_field(first, words),
            value=html.Code(_value(first, zone)),
        ),
        className="concl",
    )


def _basis(common: Common, words: Words) -> Component:
    """How many requests were compared, and of how many rows they were drawn."""
    if common.among == "slow":
        inside = words("basis_slow", n=fmt.count(common.examined), least=fmt.duration(common.from_ms))
    else:
        inside = words("basis_failed", n=fmt.count(common.examined), status=f"{common.failed_from}")
    drawn = words(
        "basis_others",
        n=fmt.count(common.compared),
        scanned=fmt.count(common.scanned),
        stored=fmt.count(common.stored),
    )
    return html.P([inside, " ", drawn], className="sub basis")


def _row(each: Commonality, view: View, zone: ZoneInfo, words: Words) -> list[Component]:
    lift = each.lift
    times = words("only_these") if lift is None else words("times_as_often", n=f"{lift:,.1f}")
    text = _value(each, zone)
    value: Children = html.Span(text, className="rt ell", title=text)
    changes = _filter(each, zone)
    if changes:
        value = dcc.Link(value, href=view.link(**changes), className="ell")
    chance = f"<{_TINY}" if each.chance < _TINY else f"{each.chance:.3f}"
    return [
        html.Div(
            [
                html.Span(_field(each, words), className="lab"),
                value,
                html.Span(
                    times,
                    className="lift hi" if lift is None or lift >= _HIGH_LIFT else "lift",
                    title=words("by_chance", chance=chance),
                ),
            ],
            className="fa-h",
        ),
        _bar(each.share_inside, "in", words("share_inside")),
        _bar(each.share_outside, "out", words("share_outside")),
    ]


def _bar(share: float, kind: str, name: str) -> Component:
    mark = html.I(html.B(style={"width": f"{share * 100:.1f}%"}), **aria(hidden="true"))
    return html.Div([html.Span(name, className="sr"), mark, html.Span(fmt.rate(share))], className=f"pr {kind}")


def _field(each: Commonality, words: Words) -> str:
    """The name of a field; an attribute has the name that the log gives it."""
    return words(f"trait_{each.field}") if each.field in _NAMED else each.field.removeprefix(ATTRIBUTE)


def _value(each: Commonality, zone: ZoneInfo) -> str:
    return fmt.span(each.band.start, each.band.end, zone) if each.band else str(each.value)


def _filter(each: Commonality, zone: ZoneInfo) -> dict[str, str]:
    """Parameters that show the requests with a value; none where no filter can."""
    if each.band:
        return {"start": moment_text(each.band.start, zone), "end": moment_text(each.band.end, zone)}
    names = {"service": "service", "client_ip": "client_ip", "network": "client_ip", "status": "status", "path": "text"}
    return {names[each.field]: str(each.value)} if each.field in names else {}
