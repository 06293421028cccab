"""The AI page's routes: analyse, ask, test, history. A failure has a status and a reason, and what the rules found."""

from __future__ import annotations

import json
import queue
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp.access.identity import current, known_as
from dashapp.ai.analyst import Asker
from dashapp.ai.asking.conversation import LONGEST_QUESTION, Question
from dashapp.ai.desk import AiDesk
from dashapp.ai.faults import ModelFault, Reason, status_of
from dashapp.ai.gathering import Asked
from dashapp.ai.viewing import entry_of, shown_of, whole_of
from dashapp.api_params import BadParameter, whole_number
from dashapp.completeness import Completeness
from dashapp.view import FILTERS, View, view_of
from dashapp.words import LANGUAGES, Words
from sql.ai_history import find_entries, last_analysis, open_entry
from sql.connection import DatabaseUnavailable, snapshot
from sql.plan import Range

ROOT = "/stats/ai-insights"
_MOST_BYTES = 64 * 1024
_MOST_MINUTES = 31 * 1440
_MOST_LISTED = 200
_TOKEN = re.compile(r"[A-Za-z0-9-]{8,64}")
# Entries without a model's result that are no failure: nobody was to be asked.
_NO_FAILURE: frozenset[str | None] = frozenset({None, "no_key", "no_data"})
Body = Mapping[str, Any]


def register(api: Blueprint, engine: sa.Engine, desk: AiDesk, completeness: Completeness) -> None:
    """Add the routes."""

    @api.post(f"{ROOT}/analyze")
    def post_analyze() -> Response:
        body = _body()
        complete = completeness.through()
        view = _view(body, complete, desk)
        whole = view.whole
        if not _names_range(body):
            minutes = _number(body, "minutes", 5, _MOST_MINUTES)
            whole = Range(complete - timedelta(minutes=minutes), complete)
        settings = desk.settings
        asked = Asked(
            whole, view.filters, view.counted, settings.zone, complete, send_addresses=settings.ai_send_addresses
        )
        return _whole(engine, desk.analyst.analyse(asked, _asker(body, desk)), desk)

    @api.post(f"{ROOT}/ask")
    def post_ask() -> Response:
        body = _body()
        text = str(body.get("question") or "").strip()
        if not text or len(text) > LONGEST_QUESTION or "\x00" in text:
            raise BadParameter(f"question must be a text of at most {LONGEST_QUESTION} characters")
        complete = completeness.through()
        view = _view(body, complete, desk)
        chosen = Range(view.whole.start, min(view.whole.end, complete))
        if chosen.start >= chosen.end:
            raise BadParameter("nothing is known of this range yet")
        thread = _named(body, "thread") or uuid.uuid4().hex
        question = Question(text, chosen, view.filters, view.counted, thread)
        asker, conversation = _asker(body, desk), desk.conversation

        def ask(emit: Callable[[str, Any], None]) -> int:
            return conversation.ask(question, asker, complete, emit)

        if "text/event-stream" in request.headers.get("Accept", ""):
            events = _events(ask, thread, lambda: desk.store.cancel(asker.token))
            return Response(events, mimetype="text/event-stream", headers=_NO_BUFFER)
        return _whole(engine, ask(lambda _kind, _data: None), desk)

    @api.post(f"{ROOT}/test")
    def post_connection_test() -> Response:
        tested = desk.test(_asker(_body(), desk))
        if tested.reason is not None:
            return _failed(tested.reason, desk, detail=tested.detail)
        return _json({"status": "ok", "model": tested.model, "structured_output": tested.structured})

    @api.post(f"{ROOT}/cancel")
    def post_cancel() -> Response:
        return _json({"cancelled": desk.store.cancel(_named(_body(), "token") or "")})

    @api.post(f"{ROOT}/history/<int:entry>/rerun")
    def post_rerun(entry: int) -> Response:
        body = _body()
        try:
            made = desk.analyst.rerun(
                _id(entry), _asker(body, desk), model=_text(body, "model"), version=_text(body, "prompt_version")
            )
        except ModelFault as fault:
            if fault.reason == "bad_request":
                raise BadParameter(fault.detail) from fault
            return _failed(fault.reason, desk)
        return _nothing() if made is None else _whole(engine, made, desk)

    @api.post(f"{ROOT}/history/<int:entry>/feedback")
    def post_feedback(entry: int) -> Response:
        value = _body().get("value")
        if value not in (1, -1, 0) or isinstance(value, bool):
            raise BadParameter("value must be 1, -1 or 0")
        known = desk.store.give_feedback(_id(entry), value or None)
        return _json({"id": entry, "feedback": value or None}) if known else _nothing()

    @api.get(f"{ROOT}/latest")
    def get_latest() -> Response:
        with snapshot(engine) as reading:
            opened = last_analysis(reading)
            shown = shown_of(reading, opened) if opened else None
        return _nothing("nothing has been analysed yet") if shown is None else _json(whole_of(shown))

    @api.get(f"{ROOT}/history")
    def get_history() -> Response:
        most = whole_number(request.args, "limit", 20, most=_MOST_LISTED)
        before = whole_number(request.args, "before", 2**62, most=2**62)
        with snapshot(engine) as reading:
            found = find_entries(
                reading, most=most + 1, before=before, kind=request.args.get("kind"), source=request.args.get("source")
            )
            budget = desk.budget(reading)
        listed = found[:most]
        return _json(
            {
                "history": [entry_of(each) for each in listed],
                "next_before": listed[-1].id if len(found) > most else None,
                "daily_cost": float(budget.spent.cost_usd),
                "max_daily_cost": budget.most_usd,
                "resets_at": budget.resets.isoformat(),
            }
        )

    @api.get(f"{ROOT}/history/<int:entry>")
    def get_entry(entry: int) -> Response:
        with snapshot(engine) as reading:
            opened = open_entry(reading, _id(entry))
            shown = shown_of(reading, opened) if opened else None
        return _nothing() if shown is None else _json(whole_of(shown))

    @api.get(f"{ROOT}/history/export")
    def get_history_export() -> Response:
        response = Response(_lines(engine), mimetype="application/x-ndjson")
        response.headers["Content-Disposition"] = 'attachment; filename="accessboard-ai-history.jsonl"'
        response.headers["Cache-Control"] = "no-store"
        return response


_NO_BUFFER = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _events(
    ask: Callable[[Callable[[str, Any], None]], int], thread: str, leave: Callable[[], object]
) -> Iterator[str]:
    """Server-sent events of an answer: period, tool, sentence, and done or failed; who goes away takes it back."""
    waiting: queue.Queue[tuple[str, Any] | None] = queue.Queue()

    def work() -> None:
        try:
            entry = ask(lambda kind, data: waiting.put((kind, data)))
            waiting.put(("done", {"id": entry, "thread": thread}))
        except DatabaseUnavailable as error:
            waiting.put(("failed", {"reason": "database_unavailable", "message": str(error)}))
        except Exception:
            waiting.put(("failed", {"reason": "internal", "message": "the request failed"}))
            raise
        finally:
            waiting.put(None)

    threading.Thread(target=work, name="ai-answer", daemon=True).start()
    try:
        while (event := waiting.get()) is not None:
            yield f"event: {event[0]}\ndata: {json.dumps(event[1], ensure_ascii=False)}\n\n"
    except GeneratorExit:
        leave()
        raise


def _lines(engine: sa.Engine) -> Iterator[str]:
    """Every entry, whole, the newest first."""
    before = 2**62
    while True:
        with snapshot(engine) as reading:
            found = find_entries(reading, most=50, before=before)
            made = [whole_of(shown_of(reading, opened)) for each in found if (opened := open_entry(reading, each.id))]
        if not found:
            return
        before = found[-1].id
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in made)


def _whole(engine: sa.Engine, entry: int, desk: AiDesk) -> Response:
    """The entry; with the status of its failure where it failed."""
    with snapshot(engine) as reading:
        opened = open_entry(reading, entry)
        assert opened is not None, "it was just taken down"
        made = whole_of(shown_of(reading, opened))
    reason = opened.entry.reason
    if reason in _NO_FAILURE:
        return _json(made)
    failure: Reason = reason  # type: ignore[assignment]
    return _failed(failure, desk, detail=opened.entry.detail or "", analysis=made)


def _failed(reason: Reason, desk: AiDesk, *, detail: str = "", analysis: Any = None) -> Response:
    words = Words(desk.settings.ui_language)
    message = words("ai_budget_spent" if reason == "budget" else f"ai_why_{reason}")
    body: dict[str, Any] = {"error": {"code": reason, "message": message, "detail": detail or None}}
    if analysis is not None:
        body["analysis"] = analysis
    return _json(body, status_of(reason))


def _body() -> Body:
    """The JSON object that was sent; JSON alone, which no other site can make a browser send."""
    if request.mimetype != "application/json":
        raise BadParameter("send a JSON object with Content-Type application/json")
    if (request.content_length or 0) > _MOST_BYTES:
        raise BadParameter("the body is too large")
    try:
        body = json.loads(request.get_data(cache=False) or b"{}")
    except ValueError:
        raise BadParameter("the body is no JSON") from None
    if not isinstance(body, dict):
        raise BadParameter("the body must be a JSON object")
    return body


def _view(body: Body, complete: datetime, desk: AiDesk) -> View:
    """Range and filters: those of a page's address in `search`, or given by their names."""
    search = _text(body, "search")
    if search is None:
        names = ("start", "end", "last", *FILTERS)
        search = urlencode({name: text for name in names if (text := _text(body, name)) is not None})
    view = view_of(search, complete, desk.settings.zone)
    if view.problem is not None:
        raise BadParameter(Words("en")(view.problem.key, **view.problem.values))
    return view


def _names_range(body: Body) -> bool:
    return bool(body.get("start") or body.get("end") or body.get("range"))


def _asker(body: Body, desk: AiDesk) -> Asker:
    language = body.get("lang") or desk.settings.ui_language
    if language not in LANGUAGES:
        raise BadParameter(f"lang must be one of {', '.join(LANGUAGES)}")
    return Asker(known_as(current(), request.remote_addr or ""), language, _named(body, "token") or uuid.uuid4().hex)


def _named(body: Body, name: str) -> str | None:
    text = _text(body, name)
    if text is not None and not _TOKEN.fullmatch(text):
        raise BadParameter(f"{name} must be 8 to 64 letters, digits and hyphens")
    return text


def _text(body: Body, name: str) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 4_000 or "\x00" in value:
        raise BadParameter(f"{name} must be a text")
    return value


def _number(body: Body, name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise BadParameter(f"{name} must be a whole number from 1 to {most}")
    return value


def _id(entry: int) -> int:
    return min(entry, 2**62)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def _nothing(message: str = "there is no such entry") -> Response:
    return _json({"error": {"code": "not_found", "message": message}}, 404)
