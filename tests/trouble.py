"""Requests of a service in which one endpoint fails for one app, and one client knocks at the door."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sql.batch import LogRow
from sql.plan import MINUTE, Range
from tests.rows import log_row

SEOUL = ZoneInfo("Asia/Seoul")
END = datetime(2031, 3, 4, 5, 40, tzinfo=UTC)
WINDOW = Range(END - 5 * MINUTE, END)
IOS = "ShopApp/5.2.1 (iPhone; iOS 18)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def trouble(service: str) -> list[LogRow]:
    """Ten minutes: in the last five, checkout fails for one app, and one client knocks at the door."""
    made = []
    for second in range(720):  # two minutes more, so that no source lags behind the end
        at = END - timedelta(seconds=600 - second)
        broken = second >= 300
        made.append(
            log_row(
                ts=at,
                service=service,
                path="/api/list",
                route="/api/list",
                latency_ms=20.0 + second % 30,
                client_ip=f"10.1.0.{second % 50}",
                user_agent=FIREFOX,
            )
        )
        if second % 3 == 0:
            ios = second % 2 == 0
            failed = broken and ios
            made.append(
                log_row(
                    ts=at,
                    service=service,
                    method="POST",
                    path="/api/pay",
                    route="/api/pay",
                    status=504 if failed else 200,
                    latency_ms=3000.0 if failed else 80.0 + second % 40,
                    client_ip=f"10.2.{second % 4}.9",
                    user_agent=IOS if ios else "okhttp/4.9",
                    attributes=json.dumps({"version": "5.2.1" if ios else "4.0.0"}),
                )
            )
        if broken:
            made.append(
                log_row(
                    ts=at,
                    service=service,
                    method="POST",
                    path="/login",
                    route="/login",
                    status=401,
                    latency_ms=5.0,
                    client_ip="203.0.113.77",
                    user_agent="python-requests/2.32",
                )
            )
    return made
