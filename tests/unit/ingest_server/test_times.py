"""Every way in which a log shipper writes a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server import times
from ingest_server.times import EPOCH, MOST_CACHED, parse_time, to_micros

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

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
        pytest.param("14/Nov/2023:22:13:20.123", WHOLE.replace(microsecond=123000), id="haproxy, no zone"),
        pytest.param("Tue Nov 14 22:13:20.123456 2023", MICRO, id="apache error log"),
        pytest.param("Tue Nov 14 22:13:20 2023", WHOLE, id="ctime"),
        pytest.param("Sun Nov  5 22:13:20 2023", WHOLE.replace(day=5), id="ctime with two blanks"),
        pytest.param("Tue, 14 Nov 2023 22:13:20 GMT", WHOLE, id="HTTP date"),
        pytest.param("2023/11/14 22:13:20", WHOLE, id="nginx error log"),
        pytest.param("2023-11-14t22:13:20.123456z", MICRO, id="small letters"),
        pytest.param("2023-11-14 22:13:20.123456 +0000", MICRO, id="blank before the offset"),
        pytest.param("2023-11-14 22:13:20.123456789 +0000 UTC", MICRO, id="Go"),
        pytest.param("2023-11-14 22:13:20,123", WHOLE.replace(microsecond=123000), id="log4j and Python"),
        pytest.param("2023-11-15T07:13:20.123456+09", MICRO, id="hours only"),
        pytest.param("2023-11-14T17:43:20-04:30", WHOLE, id="half an hour behind"),
        pytest.param("2023-11-14T22:13Z", WHOLE.replace(second=0), id="no seconds"),
        pytest.param("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC), id="leap second"),
        pytest.param("2016-12-31T23:59:60.25Z", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC), id="inside of it"),
        pytest.param("31/Dec/2016:23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC), id="apache's"),
        pytest.param("20231114221320", WHOLE, id="digits of a date and a time"),
        pytest.param(1700000000123456, MICRO, id="microseconds"),
        pytest.param("1700000000123456", MICRO, id="microseconds as text"),
        pytest.param(1700000000123456789, MICRO, id="nanoseconds, cut"),
        pytest.param("1700000000123456789", MICRO, id="nanoseconds as text"),
        pytest.param(1700000000123.456, MICRO, id="milliseconds with a fraction"),
        pytest.param(0, EPOCH, id="zero"),
        pytest.param(datetime(2023, 11, 14, 22, 13, 20), WHOLE, id="naive datetime"),  # noqa: DTZ001
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
    for _ in range(2):  # the second time from the cache
        found = parse_time(value)
        assert found == moment
        assert found.tzinfo is UTC
        assert to_micros(value) == (moment - EPOCH) // timedelta(microseconds=1)


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
        pytest.param(253402300800 * 10**9, id="nanoseconds after the calendar"),
        pytest.param("2023-02-29T00:00:00Z", id="no leap year"),
        pytest.param("2023-11-14T25:00:00Z", id="hour 25"),
        pytest.param("2023-11-14T22:13:61Z", id="second 61"),
        pytest.param("2023-11-14T22:13:20+24:00", id="offset of a day"),
        pytest.param("2023-11-14T22:13:20.", id="point without digits"),
        pytest.param("2023-11-14T22:13:20ZZ", id="two zones"),
        pytest.param("2023-11-14T22:13:20.12a456Z", id="a letter in the fraction"),
        pytest.param("2023-11-14T22:13:20.١٢٣Z", id="other digits"),
        pytest.param("2023-11-14T22:13:20." + "1" * 100 + "Z", id="long"),
        pytest.param("2023/11-14 22:13:20", id="two separators"),
        pytest.param("1e9", id="an exponent in a text"),
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
    to_micros("2023-11-14T22:13:20Z")  # so that the cache knows the second of those that begin with it
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
@given(moments, st.integers(-14 * 60, 14 * 60))
def test_to_micros_is_exact_for_a_text(moment: datetime, offset_minutes: int) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert to_micros(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == micros
    assert to_micros(local.isoformat(timespec="microseconds")) == micros
    assert to_micros(local.strftime("%Y-%m-%d %H:%M:%S,%f %z")) == micros
    assert to_micros(local.strftime("%d/%b/%Y:%H:%M:%S %z")) == micros // 1_000_000 * 1_000_000
    assert to_micros(moment) == to_micros(local) == to_micros(micros) == micros


@relaxed
@given(moments)
def test_to_micros_takes_a_double_to_the_nearest_microsecond(moment: datetime) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    # As Fluent Bit prints a double, and as it is when it was computed.
    assert to_micros(float(f"{micros // 10**6}.{micros % 10**6:06d}")) == micros
    number = micros / 1e6
    assert abs(Fraction(number) * 10**6 - to_micros(number)) <= Fraction(1, 2)


anything = st.one_of(
    st.text(),
    st.from_regex(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[.,]?\d{0,9}( ?[Zz]|[+-]\d\d:?\d\d)?", fullmatch=True),
    st.from_regex(r"[0-3]\d/(Jan|Feb|Mai)/20\d\d:\d\d:\d\d:\d\d [+-]\d{4}", fullmatch=True),
    st.from_regex(r"\d{1,22}(\.\d{0,9})?", fullmatch=True),
    st.floats(),
    st.integers(),
    st.binary(),
    st.none(),
    st.booleans(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.lists(st.integers()),
)


@relaxed
@given(anything)
def test_parse_time_of_anything_is_a_moment_or_a_value_error(value: object) -> None:
    assert outcome(value) == outcome(value)
    if isinstance(value, str):  # nothing that was read before may change what a text means
        with_cache = outcome(value)
        times._seconds.clear()
        times._texts.clear()
        assert outcome(value) == with_cache


def outcome(value: object) -> int | None:
    try:
        found = parse_time(value)
    except ValueError:
        with pytest.raises(ValueError):
            to_micros(value)
        return None
    assert found.tzinfo is UTC
    assert to_micros(value) == (found - EPOCH) // timedelta(microseconds=1)
    return to_micros(value)


def test_to_micros_remembers_a_bounded_number_of_texts() -> None:
    for second in range(MOST_CACHED + 100):
        moment = EPOCH + timedelta(seconds=second)
        to_micros(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        to_micros(moment.strftime("%d/%b/%Y:%H:%M:%S +0000"))
    assert 0 < len(times._seconds) <= MOST_CACHED
    assert 0 < len(times._texts) <= MOST_CACHED
