"""How long data stays, what it takes on disk, and whether the database's jobs run: the same reading as /api/storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.quantities import age, age_of, byte_size, trimmed
from dashapp.settings import DashboardSettings
from dashapp.words import Words
from sql.life import LOG, Job, Storage, Stored
from sql.settings import LifeSettings


def life_table(found: Storage, settings: DashboardSettings, words: Words) -> Component:
    """Each setting with what is in force, its default and what it means."""

    def days(otherwise: str) -> Callable[[float], str]:
        return lambda number: words("n_days", n=trimmed(number)) if number else words(otherwise)

    def gigabytes(number: float) -> str:
        return f"{trimmed(number)} GB" if number else words("unbounded")

    def hours(number: float) -> str:
        return words("n_hours", n=trimmed(number))

    formats = {
        "columnstore_after_days": days("never"),
        "keep_log_days": days("for_ever"),
        "keep_log_gb": gigabytes,
        "keep_figures_days": days("for_ever"),
        "chunk_hours": hours,
    }
    rows = [
        _setting(name, getattr(found.keeping, name), LifeSettings.model_fields[name].default, shown, words)
        for name, shown in formats.items()
    ]
    default = type(settings).model_fields["settle_seconds"].default
    rows.append(
        _setting("settle_seconds", settings.settle_seconds, default, lambda n: words("n_seconds", n=trimmed(n)), words)
    )
    heads = [words("setting"), words("in_force"), words("default"), words("meaning")]
    return _table([html.Th(head, className="hide-n" if i == 2 else "") for i, head in enumerate(heads)], rows)


def disk_table(found: Storage, zone: ZoneInfo, words: Words) -> Component:
    """The log and its aggregates: size, chunks, columnstore, first and last."""
    heads = [
        html.Th(words("table")),
        html.Th(words("size"), className="n"),
        html.Th(words("chunks"), className="n hide-n"),
        html.Th(words("columnar"), className="n"),
        html.Th(words("ratio"), className="n"),
        html.Th(words("oldest"), className="n hide-n"),
        html.Th(words("newest"), className="n hide-n"),
    ]
    return _table(heads, [_stored(each, zone, words) for each in (found.log, *found.aggregates)])


def job_table(jobs: Sequence[Job], now: datetime, words: Words) -> Component:
    """The jobs, those that fail first."""
    heads = [
        html.Th(words("job")),
        html.Th(words("every"), className="n hide-n"),
        html.Th(words("last_success"), className="n"),
        html.Th(words("state")),
    ]
    rows = [_job(job, now, words) for job in sorted(jobs, key=lambda job: (not job.failing, job.id))]
    return _table(heads, rows)


def storage_state(found: Storage, zone: ZoneInfo, words: Words) -> Component:
    """Engine, from when on things are kept, what waits for its refresh, and the last run of the tidying job."""
    versions, horizon, waiting, aging = found.versions, found.horizon, found.lag, found.aging
    kind = words("engine_embedded" if versions.embedded else "engine_native")
    engine = words("engine_text", timescaledb=versions.timescaledb, postgresql=versions.postgresql, kind=kind)
    kept = words("horizon_none")
    if horizon.announced_from is not None:
        kept = words("horizon_rows", from_when=fmt.local_minute(horizon.announced_from, zone))
    waits = words("refreshing_none")
    if waiting.minutes or waiting.buckets:
        waits = words("refreshing_waits", minutes=fmt.count(waiting.minutes), buckets=fmt.count(waiting.buckets))
    parts: list[tuple[str, list[str | Component]]] = [
        (words("engine"), [engine]),
        (words("horizon"), [kept]),
        (words("refreshing"), [waits]),
    ]
    if aging is not None:
        when = age_of(aging.finished_at, found.read_at, words)
        text = words("aging_text", when=when, converted=fmt.count(aging.converted), dropped=fmt.count(aging.dropped))
        problem = [html.Span(f" {aging.problem}", className="bad")] if aging.problem else []
        parts.append((words("aging"), [text, *problem]))
    return html.Dl([part for name, text in parts for part in (html.Dt(name), html.Dd(text))])


def _setting(name: str, value: float, default: float, shown: Callable[[float], str], words: Words) -> Component:
    changed = value != default
    return html.Tr(
        [
            html.Td(html.Code(name.upper())),
            html.Td(shown(value), className="b" if changed else "", id=f"collection-setting-{name.replace('_', '-')}"),
            html.Td(shown(default), className="mut hide-n"),
            html.Td(words(f"life_{name}"), className="t2 wrap"),
        ]
    )


def _stored(each: Stored, zone: ZoneInfo, words: Words) -> Component:
    name: list[Component] = [html.Code(each.name)]
    if each.name == LOG:
        name.append(html.Span(words("the_log"), className="mut hide-n"))
    ratio = fmt.UNKNOWN if each.ratio is None else f"{each.ratio:.1f}×"
    return html.Tr(
        [
            html.Td(html.Div(name, className="source-name")),
            html.Td(byte_size(each.bytes), className="n"),
            html.Td(fmt.count(each.chunks), className="n hide-n"),
            html.Td(fmt.count(each.columnar), className="n"),
            html.Td(ratio, className="n"),
            html.Td(_day(each.oldest, zone), className="n hide-n"),
            html.Td(_day(each.newest, zone), className="n hide-n"),
        ]
    )


def _job(job: Job, now: datetime, words: Words) -> Component:
    if job.failing:
        state = html.Span(words("job_failing", why=job.error or words("no_reason")), className="bad")
    elif job.paused:
        state = html.Span(words("job_paused"), className="warn")
    elif job.last_success is None:
        state = html.Span(words("job_waiting"), className="mut")
    else:
        state = html.Span(words("job_fine"))
    name = [html.Code(job.view or job.name), *([html.Span(job.name, className="mut hide-n")] if job.view else [])]
    return html.Tr(
        [
            html.Td(html.Div(name, className="source-name"), className="name"),
            html.Td(age(job.every, words), className="n hide-n"),
            html.Td(age_of(job.last_success, now, words), className="n"),
            html.Td(state, className="wrap"),
        ]
    )


def _day(moment: datetime | None, zone: ZoneInfo) -> str:
    return fmt.UNKNOWN if moment is None else f"{moment.astimezone(zone):%Y-%m-%d}"


def _table(heads: Sequence[Component], rows: Sequence[Component]) -> Component:
    return html.Div(html.Table([html.Thead(html.Tr(list(heads))), html.Tbody(list(rows))]), className="tw")
