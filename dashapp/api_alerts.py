"""The channels of messages: what became of the last one to each, and a test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp.access.uploading import why_no_upload
from dashapp.alerts.desk import TEST_EVERY_S, Alerting, Desk, TooSoon
from dashapp.api.alerting import AlertsState, ChannelState, TestedChannel, TestResults, ToldMessage
from dashapp.api.model import ErrorDetail, Failure
from dashapp.settings import DashboardSettings
from dashapp.upload_access import MARK, from_our_page
from sql.connection import snapshot

PATH = "/alerts"
TEST_PATH = "/alerts/test"


def register(
    api: Blueprint, settings: DashboardSettings, engine: sa.Engine, desk: Desk, now: Callable[[], datetime]
) -> None:
    """Add the routes."""

    @api.get(PATH)
    def get_alerts() -> Response:
        names = desk.names()
        with snapshot(engine) as reading:
            state = desk.state(reading, names)
        return _json(_state(state))

    @api.post(TEST_PATH)
    def post_test() -> Response:
        if not from_our_page(request.headers):
            return _refused(403, "cross_site", f"a test is asked for on our own pages only (header {MARK})")
        if why := why_no_upload(settings.allow_upload, request):
            return _refused(403, f"test_{why}", f"this client may not send a test ({why}): see ALLOW_UPLOAD")
        if not settings.alert_urls.get_secret_value().strip():
            return _refused(409, "no_channels", "there are no channels: set ALERT_URLS")
        try:
            results = desk.test(now())
        except TooSoon:
            answer = _refused(429, "too_soon", "a test was sent a moment ago")
            answer.headers["Retry-After"] = str(int(TEST_EVERY_S))
            return answer
        return _json(TestResults(channels=[TestedChannel(name=each.channel, error=each.error) for each in results]))


def _state(state: Alerting) -> AlertsState:
    return AlertsState(
        on=state.on,
        severity=state.severity,
        quiet_hours=state.quiet_hours,
        due=state.due,
        held=state.held,
        channels=[
            ChannelState(
                name=each.name,
                last_state=each.last.state if each.last else None,
                last_at=each.last.at if each.last else None,
                attempts=each.last.attempts if each.last else 0,
                error=each.last.error if each.last else None,
            )
            for each in state.channels
        ],
        told=[ToldMessage.model_validate(each, from_attributes=True) for each in state.told],
    )


def _json(answer: AlertsState | TestResults, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, mimetype="application/json")


def _refused(status: int, code: str, message: str) -> Response:
    body = Failure(error=ErrorDetail(code=code, message=message)).model_dump_json()
    return Response(body, status, mimetype="application/json")
