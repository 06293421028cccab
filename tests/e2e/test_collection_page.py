"""Collection: the ledger on the page equals that of the API; a file goes in once; strangers' bytes stay text."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.conftest import Stack

LINES = 12_000
MARKUP = "<img src=x onerror=document.title='caught'>"


def open_page(dash_br: Any, stack: Stack, service: str, **parameters: str) -> None:
    dash_br.server_url = (
        f"{stack.url}/collection?{urlencode({'last': '1h', 'service': service, 'lang': 'en'} | parameters)}"
    )
    dash_br.wait_for_element("#collection-equation", timeout=20)


def settled(dash_br: Any, read: Callable[[], Any], seconds: float = 10) -> Any:
    """What `read` gives once it is true; the page may draw a part anew between finding it and reading it."""
    waiting = WebDriverWait(dash_br.driver, seconds, ignored_exceptions=[StaleElementReferenceException])
    return waiting.until(lambda _: read())


def number(dash_br: Any, name: str) -> int:
    return int(settled(dash_br, lambda: dash_br.find_element(f"#collection-{name}").text).replace(",", ""))


def totals_of(stack: Stack, service: str) -> dict[str, int]:
    totals = stack.get(f"/api/collection/sources?{urlencode({'last': '1h', 'service': service})}")["totals"]
    return {name: totals[name] for name in ("received", "stored", "duplicate", "quarantined")}


def log_file(folder: Path, service: str) -> Path:
    """Plain lines of a day long ago, with one that no format has."""
    path = folder / f"{service}.log"
    lines = [
        f"2025-07-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z GET /{service}/{i % 7} 200 {i % 90}ms"
        for i in range(LINES)
    ]
    path.write_text("\n".join([*lines, "no log line at all"]) + "\n")
    return path


def upload(dash_br: Any, path: Path, service: str) -> dict[str, int]:
    field = dash_br.wait_for_element("#collection-upload-file")
    field.send_keys(str(path))
    assert dash_br.find_element("#collection-upload-service").get_attribute("value") == service
    dash_br.find_element("#collection-upload-start").click()
    dash_br.wait_for_element("#collection-receipt-received", timeout=60)
    names = ("received", "stored", "duplicate", "quarantined")
    return {name: number(dash_br, f"receipt-{name}") for name in names}


@pytest.mark.browser
def test_file_is_stored_once_and_the_page_counts_what_the_api_counts(
    stack: Stack, dash_br: Any, service: str, tmp_path: Path
) -> None:
    path = log_file(tmp_path, service)
    open_page(dash_br, stack, service)
    assert upload(dash_br, path, service) == {"received": LINES + 1, "stored": LINES, "duplicate": 0, "quarantined": 1}
    dash_br.find_element("#shell-refresh").click()
    settled(dash_br, lambda: number(dash_br, "received") == LINES + 1)
    shown = {name: number(dash_br, name) for name in ("received", "stored", "duplicate", "quarantined")}
    assert shown == totals_of(stack, service)
    assert dash_br.find_element("#collection-equation-mark").get_attribute("data-holds") == "true"

    dash_br.driver.refresh()
    again = upload(dash_br, path, service)
    # The line no format has is known too: it is kept once.
    assert again == {"received": LINES + 1, "stored": 0, "duplicate": LINES + 1, "quarantined": 0}
    # The command line knows the same file too.
    assert f"duplicate {LINES + 1:,}" in stack.run("import", str(path), "--service", service).stdout
    day = {"start": "2025-07-01T00:00:00Z", "end": "2025-07-02T00:00:00Z", "service": service}
    assert stack.get(f"/api/stats/summary?{urlencode(day)}")["total"] == LINES
    assert dash_br.get_logs() == []


@pytest.mark.browser
def test_quarantined_record_is_shown_as_text_with_its_reason(stack: Stack, dash_br: Any, service: str) -> None:
    record = {"timestamp": "nope", "service": service, "method": "GET", "path": f"/{MARKUP}", "status": 200}
    _, receipt = stack.post(json.dumps(record).encode())
    assert receipt["quarantined"] == 1
    open_page(dash_br, stack, service)
    kept = stack.get("/api/collection/quarantine")["records"][0]
    held = f"#collection-held-{kept['id']}"
    dash_br.wait_for_element(f"{held} summary")
    settled(dash_br, lambda: dash_br.find_element(f"{held} summary").click() or True)
    settled(dash_br, lambda: MARKUP in dash_br.find_element(f"#collection-record-{kept['id']}").text)
    settled(dash_br, lambda: kept["reason"] in dash_br.find_element(held).text)
    assert dash_br.find_elements("#collection-quarantine img") == []
    assert dash_br.driver.title != "caught"
    with urllib.request.urlopen(f"{stack.url}/api/collection/quarantine/record?id={kept['id']}", timeout=10) as answer:
        assert json.loads(answer.read()) == record
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert dash_br.get_logs() == []


@pytest.mark.browser
def test_configuration_to_copy_names_this_server_and_the_service(stack: Stack, dash_br: Any, service: str) -> None:
    open_page(dash_br, stack, service)
    port = stack.ingest_url.rpartition(":")[2]
    dash_br.wait_for_contains_text("#collection-ship-text", f"service={service}", timeout=10)
    text = dash_br.find_element("#collection-ship-text").get_attribute("textContent")
    assert f"Port                      {port}" in text
    assert "no_limits" in text
    dash_br.find_element("button[data-copy=collection-ship-text]").click()
    dash_br.wait_for_text_to_equal("button[data-copy=collection-ship-text]", "Copied", timeout=5)
    # What is in force stands on the page as the API has it.
    days = stack.get("/api/storage")["keeping"]["columnstore_after_days"]
    dash_br.wait_for_contains_text("#collection-setting-columnstore-after-days", f"{days:g}", timeout=10)
    assert dash_br.get_logs() == []


def test_upload_from_another_site_is_refused_and_stores_nothing(stack: Stack, service: str) -> None:
    body = f"2025-07-01T00:00:00Z GET /{service} 200 1ms\n".encode()
    url = f"{stack.url}/api/collection/upload?name=a.log&service={service}"
    same = {"X-Accessboard-Upload": "1", "Origin": stack.url, "Sec-Fetch-Site": "same-origin"}
    for headers in (
        {},
        same | {"Origin": "https://elsewhere.example"},
        same | {"Sec-Fetch-Site": "cross-site"},
        {name: value for name, value in same.items() if name != "X-Accessboard-Upload"},
    ):
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=10)
        assert refused.value.code == 403
        assert json.load(refused.value)["error"]["code"] == "cross_site"
    assert totals_of(stack, service)["received"] == 0
