"""What kind of program a user agent names, and the program and its version."""

from __future__ import annotations

import time

import pytest

from dashapp.insight.agents import client_type, product
from tests.unit.insight.minutes import PEOPLE, ROBOT

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (PEOPLE, "browser"),
        (f"{PEOPLE} Edg/141.0.0.0", "browser"),
        (f"{SAFARI}Version/17.0 Mobile/15E148 Safari/604.1", "browser"),
        (f"{SAFARI}Mobile/15E148 KAKAOTALK 10.4", "browser"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "browser"),
        ("Opera/9.80 (Windows NT 6.1) Presto/2.12", "browser"),
        (ROBOT, "bot"),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1) Chrome/1 Safari/1", "bot"),
        ("Yeti/1.1", "bot"),
        ("facebookexternalhit/1.1", "bot"),
        ("kube-probe/1.29", "bot"),
        ("ELB-HealthChecker/2.0", "bot"),
        ("curl/8.5.0", "script"),
        ("python-requests/2.32.3", "script"),
        ("Go-http-client/1.1", "script"),
        ("Java/21.0.1", "script"),
        ("sqlmap/1.7", "script"),
        ("billing-service/2.1", "script"),
        ("okhttp/4.12.0", "app"),
        ("Dalvik/2.1.0 (Linux; U; Android 12)", "app"),
        ("MyShop/4.1 (iPhone; iOS 17.2; Scale/3.00)", "app"),
        ("MyApp/3.1 CFNetwork/1410 Darwin/22", "app"),
        ("-", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        ("checkout 3", "unknown"),
    ],
)  # fmt: skip
def test_kinds_of_clients(agent: str | None, expected: str) -> None:
    assert client_type(agent) == expected


def test_a_hostile_user_agent_takes_no_time() -> None:
    started = time.perf_counter()
    for i in range(10):
        client_type(f"{i}" + "a" * 100_000)
        client_type(f"Mozilla/5.0 ({i}" + "(;" * 50_000)
    assert time.perf_counter() - started < 2


def test_programs_and_versions() -> None:
    assert product(PEOPLE) == "Chrome 141"
    assert product("curl/8.5.0") == "curl/8.5.0"
    assert product("MyShop/4.1 (iPhone; iOS 17.2)") == "MyShop/4.1"
    assert product("") == ""
