"""JSON dialects: each is recognised by its names, and reshaped into ours without a loss."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.formats import DIALECTS, dialect_of

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def reshaped(record: dict[str, Any], name: str | None) -> dict[str, Any]:
    before = copy.deepcopy(record)
    dialect = dialect_of(frozenset(record))
    assert (dialect and dialect.name) == name
    result = dialect.reshape(record) if dialect else record
    assert record == before
    return result


CADDY: dict[str, Any] = {
    "level": "info",
    "ts": 1746094530.310123,
    "logger": "http.log.access",
    "msg": "handled request",
    "request": {
        "remote_ip": "10.0.0.1",
        "remote_port": "41342",
        "client_ip": "203.0.113.7",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "shop.example",
        "uri": "/cart?id=7",
        "headers": {"User-Agent": ["curl/8.5.0"], "Referer": ["https://r.example/"], "Accept": ["*/*"]},
    },
    "bytes_read": 0,
    "duration": 0.001929675,
    "size": 10900,
    "status": 200,
}


def test_caddy() -> None:
    result = reshaped(CADDY, "caddy")
    assert result.pop("latency_ms") == pytest.approx(1.929675)
    assert result == {
        "timestamp": 1746094530.310123,
        "method": "GET",
        "path": "/cart?id=7",
        "status": 200,
        "bytes": 10900,
        "client_ip": "203.0.113.7",
        "user_agent": "curl/8.5.0",
        "referer": "https://r.example/",
        "level": "info",
        "logger": "http.log.access",
        "msg": "handled request",
        "bytes_read": 0,
        "request": {
            "remote_ip": "10.0.0.1",
            "remote_port": "41342",
            "proto": "HTTP/2.0",
            "host": "shop.example",
            "headers": {"Accept": ["*/*"]},
        },
    }


@pytest.mark.parametrize(
    ("duration", "latency_ms"), [("1.5ms", 1.5), ("2m3.5s", 123_500.0), ("350µs", 0.35), (2, 2000.0)]
)
def test_caddy_with_durations_in_other_forms(duration: Any, latency_ms: float) -> None:
    result = reshaped(CADDY | {"duration": duration}, "caddy")
    assert result["latency_ms"] == pytest.approx(latency_ms)
    assert "duration" not in result


def test_caddy_keeps_a_duration_that_is_none() -> None:
    result = reshaped(CADDY | {"duration": "slow"}, "caddy")
    assert result["duration"] == "slow"
    assert "latency_ms" not in result


def test_traefik() -> None:
    record = {
        "ClientAddr": "203.0.113.7:41342",
        "ClientHost": "203.0.113.7",
        "DownstreamContentSize": 42,
        "DownstreamStatus": 200,
        "Duration": 1929675,
        "OriginDuration": 1800000,
        "RequestMethod": "GET",
        "RequestPath": "/cart",
        "RequestProtocol": "HTTP/1.1",
        "ServiceName": "shop@docker",
        "StartUTC": "2025-05-01T10:15:30.123456789Z",
        "request_User-Agent": "curl/8.5.0",
        "time": "2025-05-01T10:15:30Z",
    }
    result = reshaped(record, "traefik")
    assert result.pop("latency_ms") == pytest.approx(1.929675)
    assert result == {
        "timestamp": "2025-05-01T10:15:30.123456789Z",
        "method": "GET",
        "path": "/cart",
        "status": 200,
        "bytes": 42,
        "client_ip": "203.0.113.7",
        "user_agent": "curl/8.5.0",
        "service": "shop@docker",
        "protocol": "HTTP/1.1",
        "ClientAddr": "203.0.113.7:41342",
        "OriginDuration": 1800000,
        "time": "2025-05-01T10:15:30Z",
    }


ENVOY: dict[str, Any] = {
    "start_time": "2025-05-01T10:15:30.310Z",
    "method": "GET",
    "path": "/rewritten",
    "x-envoy-original-path": "/cart?id=7",
    "response_code": 200,
    "response_flags": "-",
    "duration": 12,
    "bytes_sent": 345,
    "downstream_remote_address": "203.0.113.7:41342",
    "user_agent": "curl/8",
    "authority": "shop.example",
}


def test_envoy() -> None:
    assert reshaped(ENVOY, "envoy") == {
        "timestamp": "2025-05-01T10:15:30.310Z",
        "method": "GET",
        "path": "/cart?id=7",
        "status": 200,
        "latency_ms": 12,
        "bytes": 345,
        "client_ip": "203.0.113.7:41342",
        "user_agent": "curl/8",
        "authority": "shop.example",
        "response_flags": "-",
    }


def test_envoy_behind_another_proxy() -> None:
    record = ENVOY | {"x-envoy-original-path": None, "x_forwarded_for": "198.51.100.9,10.0.0.1"}
    result = reshaped(record, "envoy")
    assert (result["path"], result["client_ip"]) == ("/rewritten", "198.51.100.9")
    assert result["downstream_remote_address"] == "203.0.113.7:41342"


def test_google_cloud() -> None:
    record = {
        "timestamp": "2025-05-01T10:15:30.123Z",
        "severity": "INFO",
        "httpRequest": {
            "requestMethod": "GET",
            "requestUrl": "https://shop.example/cart?id=7",
            "status": 200,
            "latency": "0.123s",
            "remoteIp": "203.0.113.7",
            "userAgent": "curl/8",
            "responseSize": "345",
            "cacheHit": True,
        },
    }
    assert reshaped(record, "http_request") == {
        "timestamp": "2025-05-01T10:15:30.123Z",
        "severity": "INFO",
        "method": "GET",
        "path": "https://shop.example/cart?id=7",
        "status": 200,
        "latency_ms": 123.0,
        "client_ip": "203.0.113.7",
        "user_agent": "curl/8",
        "bytes": "345",
        "httpRequest": {"cacheHit": True},
    }


def test_aws_waf() -> None:
    record = {
        "timestamp": 1746094530310,
        "action": "BLOCK",
        "responseCodeSent": 403,
        "httpRequest": {
            "clientIp": "203.0.113.7",
            "httpMethod": "POST",
            "uri": "/login",
            "args": "a=1",
            "country": "KR",
        },
    }
    result = reshaped(record, "http_request")
    assert (result["method"], result["path"], result["status"]) == ("POST", "/login?a=1", 403)
    assert result["httpRequest"] == {"country": "KR"}


ECS_DOTTED = {
    "@timestamp": "2025-05-01T10:15:30.123Z",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "http.response.body.bytes": 345,
    "url.path": "/cart",
    "url.query": "id=7",
    "event.duration": 12_000_000,
    "source.ip": "203.0.113.7",
    "user_agent.original": "curl/8",
    "service.name": "shop",
    "trace.id": "abc",
}
ECS_NESTED: dict[str, Any] = {
    "@timestamp": "2025-05-01T10:15:30.123Z",
    "http": {"request": {"method": "GET"}, "response": {"status_code": 200, "body": {"bytes": 345}}, "version": "1.1"},
    "url": {"path": "/cart", "query": "id=7", "domain": "shop.example"},
    "event": {"duration": 12_000_000, "kind": "event"},
    "source": {"ip": "203.0.113.7"},
    "user_agent": {"original": "curl/8", "device": {"name": "Other"}},
    "service": {"name": "shop", "type": "web"},
}
ECS = {
    "timestamp": "2025-05-01T10:15:30.123Z",
    "method": "GET",
    "path": "/cart?id=7",
    "status": 200,
    "bytes": 345,
    "latency_ms": 12.0,
    "client_ip": "203.0.113.7",
    "user_agent": "curl/8",
    "service": "shop",
}


def test_ecs_with_dotted_names() -> None:
    assert reshaped(dict(ECS_DOTTED), "ecs") == ECS | {"trace.id": "abc"}


def test_ecs_with_objects() -> None:
    assert reshaped(ECS_NESTED, "ecs_nested") == ECS | {
        "http": {"version": "1.1"},
        "url": {"domain": "shop.example"},
        "event": {"kind": "event"},
        "user_agent.device": {"name": "Other"},
        "service.type": "web",
    }


def test_ecs_prefers_the_original_url() -> None:
    result = reshaped(ECS_DOTTED | {"url.original": "/cart?id=7&x"}, "ecs")
    assert result["path"] == "/cart?id=7&x"
    assert result["url.path"] == "/cart"


def test_nginx_with_a_request_line() -> None:
    record = {
        "time_iso8601": "2025-05-01T19:15:30+09:00",
        "msec": "1746094530.310",
        "remote_addr": "203.0.113.7",
        "request": "GET /cart?id=7 HTTP/1.1",
        "status": "200",
        "body_bytes_sent": "345",
        "request_time": "0.123",
        "upstream_response_time": "0.120",
        "http_user_agent": "curl/8",
    }
    rest = {name: value for name, value in record.items() if name != "request"}
    assert reshaped(record, "request") == rest | {"method": "GET", "path": "/cart?id=7", "protocol": "HTTP/1.1"}


def test_apache_with_microseconds_needs_no_dialect() -> None:
    record = {"time": "[..]", "method": "GET", "path": "/a", "status": 200, "duration_us": 4523}
    assert reshaped(record, None) == record


def test_logstash() -> None:
    record = {"verb": "GET", "request": "/cart?id=7", "response": "200", "clientip": "203.0.113.7", "bytes": "345"}
    result = reshaped(record, "request")
    assert (result["verb"], result["path"], result["status"]) == ("GET", "/cart?id=7", "200")
    assert not {"request", "response"} & result.keys()


def test_kong() -> None:
    record = {
        "client_ip": "203.0.113.7",
        "started_at": 1746094530310,
        "request": {"method": "GET", "uri": "/cart?id=7", "size": 110, "headers": {"user-agent": "curl/8"}},
        "response": {"status": 200, "size": 345},
        "latencies": {"request": 12, "proxy": 9, "kong": 3},
    }
    assert reshaped(record, "request") == {
        "client_ip": "203.0.113.7",
        "started_at": 1746094530310,
        "method": "GET",
        "path": "/cart?id=7",
        "status": 200,
        "bytes": 345,
        "user_agent": "curl/8",
        "latency_ms": 12.0,
        "request": {"size": 110},
        "latencies": {"proxy": 9, "kong": 3},
    }


def test_pino() -> None:
    record = {
        "time": 1746094530310,
        "req": {"id": 1, "method": "GET", "url": "/cart", "headers": {"user-agent": "curl/8"}, "remoteAddress": "::1"},
        "res": {"statusCode": 200},
        "responseTime": 12.5,
    }
    assert reshaped(record, "pino") == {
        "time": 1746094530310,
        "method": "GET",
        "path": "/cart",
        "status": 200,
        "latency_ms": 12.5,
        "user_agent": "curl/8",
        "client_ip": "::1",
        "req": {"id": 1},
    }


@pytest.mark.parametrize(
    "request_value", ["request completed in time", "8d5a1c0f", {"id": 5, "method": "PUT", "url": "/x"}, 17, None, "/x"]
)
def test_a_field_request_replaces_nothing_that_the_record_says(request_value: Any) -> None:
    record = {"method": "GET", "path": "/a", "status": 200, "request": request_value}
    assert reshaped(record, "request") == record


def test_a_sentence_is_no_request_line() -> None:
    assert reshaped({"request": "user logged in"}, "request") == {"request": "user logged in"}


@pytest.mark.parametrize(
    ("record", "renamed"),
    [
        pytest.param(
            {"RequestMethod": "GET", "RequestPath": "/a", "StatusCode": 200, "Elapsed": 1.5},
            {"request_method": "GET", "request_path": "/a", "status_code": 200, "elapsed": 1.5},
            id="Serilog",
        ),
        pytest.param(
            {"requestMethod": "GET", "requestURI": "/a", "statusCode": 200, "durationMs": 3, "userAgent": "x"},
            {"request_method": "GET", "request_uri": "/a", "status_code": 200, "duration_ms": 3, "user_agent": "x"},
            id="camel case",
        ),
        pytest.param(
            {"cs-method": "GET", "cs-uri-stem": "/a", "sc-status": 200, "c-ip": "::1", "cs(User-Agent)": "x"},
            {"cs_method": "GET", "cs_uri_stem": "/a", "sc_status": 200, "c_ip": "::1", "cs_user_agent": "x"},
            id="W3C",
        ),
        pytest.param(
            {"Method": "GET", "Path": "/a", "Status": 200, "Host": "h", "Date": "d", "Extra": 1},
            {"method": "GET", "path": "/a", "status": 200, "Host": "h", "Date": "d", "Extra": 1},
            id="capitals",
        ),
    ],
)
def test_other_spellings(record: dict[str, Any], renamed: dict[str, Any]) -> None:
    assert reshaped(record, "spelling") == renamed


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"method": "GET", "path": "/a", "status": 200, "date": 1.0},
        {"date": 1.0, "log": "a line"},
        {"method": "GET", "Method": "POST"},
        {"Host": "h", "Date": "d"},
    ],
    ids=["nothing", "canonical", "a raw line", "both spellings", "names that mean something else"],
)
def test_no_dialect(record: dict[str, Any]) -> None:
    assert reshaped(record, None) == record


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("GET /a HTTP/1.1")
inner_names = st.sampled_from(
    ["method", "uri", "headers", "status", "latency", "request", "response", "ip", "duration", "original", "path", "x"]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(inner_names, inner, max_size=4), max_leaves=8
)
top_names = sorted(
    {name for dialect in DIALECTS for name in dialect.needs} | {"log", "event", "latencies", "user_agent"}
)


@relaxed
@given(st.sampled_from(DIALECTS), st.dictionaries(st.sampled_from(top_names), values), st.data())
def test_a_dialect_reshapes_anything_and_changes_nothing_in_place(
    dialect: Any, extra: Any, data: st.DataObject
) -> None:
    record = extra | {name: data.draw(values) for name in sorted(dialect.needs)}
    before = repr(record)
    assert isinstance(dialect.reshape(record), dict)
    assert repr(record) == before


@relaxed
@given(st.frozensets(st.text(max_size=20), max_size=12))
def test_dialect_of_any_names(keys: frozenset[str]) -> None:
    dialect = dialect_of(keys)
    assert dialect is None or dialect.needs <= keys
