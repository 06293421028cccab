"""Every way in which a log shipper writes a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.times import EPOCH, parse_time

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# 1700000000.123456789, the moment of the captures in fluent-bit.md
WHOLE = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
MICRO = WHOLE.replace(microsecond=123456)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        pytest.param(1700000000.123457, WHOLE.replace(microsecond=123457), id="double"),
        pytest.param(1700000000.06165, WHOLE.replace(microsecond=61650), id="double without trailing zeros"),
        pytest.param(1700000000.0, WHOLE, id="double of a whole second"),
        pytest.param("2023-11-14T22:13:20.123456Z", MICRO, id="iso8601"),
        pytest.param("2023-11-14 22:13:20.123456", MICRO, id="java_sql_timestamp without a zone"),
        pytest.param(1700000000, WHOLE, id="epoch"),
        pytest.param(1700000000123, WHOLE.replace(microsecond=123000), id="epoch_ms"),
        pytest.param(1700000000.123, WHOLE.replace(microsecond=123000), id="gelf"),
        pytest.param("2023-11-14T22:13:20.123456789Z", MICRO, id="docker, nanoseconds are cut"),
        pytest.param("2023-11-14T23:13:20.123456789+01:00", MICRO, id="cri with an offset"),
        pytest.param("2023-11-14T22:13:20.1239999", WHOLE.replace(microsecond=123999), id="cut, not rounded"),
        pytest.param("2023-11-14T22:13:20,5Z", WHOLE.replace(microsecond=500000), id="decimal comma"),
        pytest.param("15/Nov/2023:07:13:20 +0900", WHOLE, id="apache"),
        pytest.param("2023-11-14T22:13:20+00:00", WHOLE, id="no fraction"),
        pytest.param("2023-11-15T07:13:20+0900", WHOLE, id="offset without a colon"),
        pytest.param("20231114T221320Z", WHOLE, id="basic form"),
        pytest.param("20231114", WHOLE.replace(hour=0, minute=0, second=0), id="basic date"),
        pytest.param("2023-11-14", WHOLE.replace(hour=0, minute=0, second=0), id="date"),
        pytest.param("1700000000", WHOLE, id="seconds as text"),
        pytest.param("1700000000.123457", WHOLE.replace(microsecond=123457), id="double as text"),
        pytest.param("1700000000123", WHOLE.replace(microsecond=123000), id="milliseconds as text"),
        pytest.param(" 2023-11-14T22:13:20Z\n", WHOLE, id="white space around"),
        pytest.param(datetime(2023, 11, 15, 7, 13, 20, tzinfo=timezone(timedelta(hours=9))), WHOLE, id="datetime"),
        pytest.param(99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC), id="last that counts as seconds"),
        pytest.param(100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC), id="first that counts as ms"),
    ],
)
def test_parse_time_reads(value: object, moment: datetime) -> None:
    found = parse_time(value)
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("mine", id="a word"),
        pytest.param("", id="empty"),
        pytest.param("12:00", id="time of day"),
        pytest.param("2023-13-01T00:00:00Z", id="month 13"),
        pytest.param("31/Foo/2023:00:00:00 +0000", id="apache with a wrong month"),
        pytest.param("-1", id="negative text"),
        pytest.param(-1, id="negative"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(1e300, id="beyond the calendar"),
        pytest.param(1700000000123456, id="microseconds"),
        pytest.param(10**400, id="an integer that no float holds"),
        pytest.param("9" * 400, id="digits that no float holds"),
        pytest.param(True, id="a boolean"),
        pytest.param(None, id="null"),
        pytest.param({"sec": 1}, id="an object"),
        pytest.param([1700000000], id="an array"),
        pytest.param("9999-12-31T23:59:59-10:00", id="after the calendar"),
        pytest.param("0001-01-01T00:00:00+10:00", id="before the calendar"),
        pytest.param("31/Dec/9999:23:59:59 -1000", id="apache after the calendar"),
        pytest.param(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=10))), id="datetime before the calendar"),
    ],
)
def test_parse_time_refuses(value: object) -> None:
    with pytest.raises(ValueError, match="timestamp"):
        parse_time(value)


moments = st.integers(631_152_000 * 10**6, 4_070_908_800 * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us))


@relaxed
@given(moments)
def test_parse_time_reads_back_every_form_of_one_moment(moment: datetime) -> None:
    second = moment.replace(microsecond=0)
    assert parse_time(moment.isoformat()) == moment
    assert parse_time(moment.strftime("%Y-%m-%d %H:%M:%S.%f")) == moment
    assert parse_time(second.strftime("%d/%b/%Y:%H:%M:%S +0000")) == second
    assert parse_time(int(second.timestamp())) == second
    assert abs(parse_time(moment.timestamp()) - moment) <= timedelta(microseconds=1)


@relaxed
@given(st.one_of(st.text(), st.floats(), st.integers(), st.binary(), st.none(), st.lists(st.integers())))
def test_parse_time_of_anything_is_a_moment_or_a_value_error(value: object) -> None:
    try:
        found = parse_time(value)
    except ValueError:
        return
    assert found.tzinfo is UTC
