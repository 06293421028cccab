"""An evidence pack small enough to know by heart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashapp.ai.evidence import Noted, Pack
from dashapp.ai.ledger import CITED, Ledger
from sql.plan import Range

START = datetime(2026, 11, 23, 5, 27, tzinfo=UTC)  # 14:27 in Seoul, a Monday
WHOLE = Range(START, START + timedelta(minutes=5))
BEFORE = Range(START - timedelta(minutes=5), START)
SEOUL = ZoneInfo("Asia/Seoul")
BEFORE_IT: dict[str, Any] = {"when": "before", "span": BEFORE}
PAY, LIST = "POST /api/order/checkout", "GET /api/user/list"
WORDY = "GET /errors/top/increased/normal"  # an endpoint whose path reads like a claim


class Known:
    """A pack and the ids of its figures by name."""

    def __init__(self, *, findings: bool = True) -> None:
        ledger = Ledger(WHOLE, SEOUL, {"service": "shop"})
        self.ids: dict[str, str] = {}
        pay, users = ledger.endpoint("POST", "/api/order/checkout"), ledger.endpoint("GET", "/api/user/list")
        wordy = ledger.endpoint(*WORDY.split())
        ledger.name("client_ip", "203.0.113.77")
        ledger.name("product", "iOS/5.2.1")
        ledger.statuses[""] = (200, 401, 504)
        ledger.statuses[pay] = (200, 504)
        lines = [
            self.take("total", ledger.figure(8460, "count", "requests")),
            self.take("total_before", ledger.figure(8000, "count", "requests", when="before", span=BEFORE)),
            self.take("change", ledger.figure(0.0575, "change", "requests")),
            self.take("calls", ledger.figure(265, "count", "requests", about=pay)),
            self.take("errors", ledger.figure(41, "count", "errors", about=pay)),
            self.take("server", ledger.figure(40, "count", "server_errors", about=pay)),
            self.take("rate", ledger.figure(41 / 265, "share", "error_rate", about=pay)),
            self.take("rate_before", ledger.figure(0.004, "share", "error_rate", about=pay, **BEFORE_IT)),
            self.take("p95", ledger.figure(3042.4, "ms", "p95", about=pay)),
            self.take("p95_before", ledger.figure(310.2, "ms", "p95", about=pay, when="before", span=BEFORE)),
            self.take("p50", ledger.figure(120, "ms", "p50", about=pay)),
            self.take("users", ledger.figure(1200, "count", "requests", about=users)),
            self.take("users_errors", ledger.figure(3, "count", "errors", about=users)),
            self.take("users_p95", ledger.figure(110, "ms", "p95", about=users)),
            self.take("wordy", ledger.figure(77, "count", "requests", about=wordy)),
            self.take("wordy_p95", ledger.figure(20, "ms", "p95", about=wordy)),
            self.take("since", ledger.moment(START - timedelta(minutes=47))),
            self.take("client", ledger.figure(617, "count", "requests", of_text="client-1")),
            self.take("product", ledger.figure(0.95, "share", "share", about=pay, of_text="product = iOS/5.2.1")),
        ]  # fmt: skip
        noted = Noted(
            "error_burst", "high", (pay,), (self.ids["rate"], self.ids["rate_before"], self.ids["since"]), 265, 1e-9
        )
        self.pack: Pack = ledger.pack(lines, before=BEFORE, findings=[noted] if findings else [], total=8460)

    def take(self, name: str, text: str) -> str:
        self.ids[name] = CITED.findall(text)[0]
        return text

    def fill(self, text: str) -> str:
        """A text with ids in the places of names: 265[calls]."""

        def named(found: re.Match[str]) -> str:
            return f"[{', '.join(self.ids.get(name, name) for name in found[1].split(', '))}]"

        return re.sub(r"\[([a-z_0-9, ]+)\]", named, text)
