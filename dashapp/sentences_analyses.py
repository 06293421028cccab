"""The five analyses of a range in words: traffic, endpoints, statuses, bottlenecks, and what differs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashapp import format as fmt
from dashapp.comparison import change
from dashapp.sentences import course_of, say_count
from dashapp.sentences_patterns import say_slow_hour, say_window
from dashapp.stats.analyses import StatusPart, TrafficPart
from dashapp.stats.apart import Apart
from dashapp.stats.bottlenecks import Bottlenecks, Common, SlowEndpoint
from dashapp.stats.networks import Networks
from dashapp.stats.novelties import Novelties
from dashapp.stats.patterns import Hour, week_of
from dashapp.stats.usage import Endpoint, Usage
from dashapp.values import field_name, filter_of, filters_of, novel_name, value_name
from dashapp.words import Words
from sql.plan import MINUTE, Range

# Which parameters of the address show what a value names; the key is that of the value.
Links = dict[str, dict[str, str]]
TOP = 3
_QUARTER = 4
_EVEN = 0.1
_FEWEST_COMMON = 5
_MOST_COMMON = 2
_FEWEST_ERRORS = 10
_LARGE_NETWORK = 0.2
_MOST_APART = 4
_MOST_NOVEL = 5
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence: its key, its values, which of them name an endpoint or a client, and which a time."""

    key: str
    values: dict[str, str]
    links: Links = field(default_factory=dict)
    times: dict[str, Range] = field(default_factory=dict)


def say_traffic(part: TrafficPart, whole: Range, zone: ZoneInfo, words: Words, other: str) -> list[Line]:
    """R1: how many, whether it grew, the busiest and the quietest time, and how concentrated it is."""
    total = part.totals.total.total
    course = course_of(part.course, whole, zone)
    known = sum(bucket.total is not None for bucket in part.course.buckets) * part.course.interval_minutes
    pace = fmt.mean_count(total / known) if known else fmt.UNKNOWN
    lines = [Line("r1_total", {"n": words("n_requests", n=fmt.count(total)), "pace": pace})]
    now, before = part.totals.now, part.totals.before
    if now is not None and before is not None and (moved := change(now.total, before.total)):
        sides = {"now": fmt.count(now.total), "before": fmt.count(before.total)}
        lines.append(Line("r1_against", {"change": moved.text, "name": other, **sides}))
    if course is None:
        return [*lines, *_largest_client(part, words)]
    held = [each for each in course.stretches if each.held]
    lines += [_trend([each.pace for each in held])] if len(held) >= _QUARTER else []
    ranked = sorted(held, key=lambda each: (each.pace, each.start))
    if len(ranked) > 1 and ranked[-1].pace > course.mean * (1 + _EVEN):
        most, least = ranked[-1], ranked[0]
        clock = _clock(whole)
        lines.append(
            Line(
                "r1_extremes",
                {
                    "most": clock(most.start, zone),
                    "most_n": say_count(most.total, most.covered, course.width, words),
                    "above": f"{(most.pace / course.mean - 1) * 100:,.0f}%",
                    "least": clock(least.start, zone),
                    "least_n": say_count(least.total, least.covered, course.width, words),
                    "below": f"{(1 - least.pace / course.mean) * 100:,.0f}%",
                    "width": _width(course.width, words),
                },
                times={
                    "most": Range(most.start, most.start + course.width),
                    "least": Range(least.start, least.start + course.width),
                },
            )
        )
    window = say_window(week_of(part.hours, zone))
    if window is not None:
        lines.append(Line(window.key, window.values))
    return [*lines, *_largest_client(part, words)]


def say_endpoints(used: Usage, words: Words) -> list[Line]:
    """R2: which are called most, and how long they take."""
    lines = [Line("r2_count", {"n": fmt.count(used.found)})]
    top = used.endpoints[:TOP]
    for rank, each in enumerate(top):
        key = "r2_busiest" if rank == 0 else "r2_next"
        values = {
            "endpoint": f"{each.method} {each.route}",
            "n": words("n_times", n=fmt.count(each.count)),
            "share": fmt.rate(each.share),
            "mean": fmt.duration(each.latency.mean),
            "p95": fmt.duration(each.latency.p95),
        }
        key = key if each.latency.mean is not None else f"{key}_untimed"
        lines.append(_line(key, values, words, endpoint=_named(each)))
    if used.found > TOP and used.total:
        share = fmt.rate(sum(each.count for each in top) / used.total)
        lines.append(Line("r2_top", {"k": str(len(top)), "share": share}))
    return lines


def say_statuses(part: StatusPart, zone: ZoneInfo, whole: Range, words: Words) -> list[Line]:
    """R3: shares that sum to a hundred, and the codes, endpoints and hours in which errors cluster."""
    codes = part.codes
    counts = [codes.classes.get(f"{n}xx", 0) for n in (2, 3, 4, 5)]
    rest = codes.total - sum(counts)
    names = ("c2", "c3", "c4", "c5")
    lines = [Line("r3_shares", dict(zip(names, fmt.shares([*counts, rest]), strict=False)))]
    client, server = counts[2:]
    errors = client + server
    if not errors:
        return [*lines, Line("r3_none", {})]
    times = {name: words("n_times", n=fmt.count(n)) for name, n in (("client", client), ("server", server))}
    said = {"n": words("n_times", n=fmt.count(errors)), "rate": fmt.rate(errors / codes.total)}
    lines.append(Line("r3_errors", said | times, {"client": {"status": "4xx"}, "server": {"status": "5xx"}}))
    code = next(each for each in codes.statuses if each.status >= 400)
    values = {"code": str(code.status), "n": words("n_times", n=fmt.count(code.count))}
    values["share"] = fmt.rate(code.count / errors)
    lines.append(Line("r3_code", values, {"code": {"status": str(code.status)}}))
    return [*lines, *_failing(part.used, errors, server, words), *_failing_hour(part.hours, zone, whole, words)]


def say_bottlenecks(slow: Bottlenecks, zone: ZoneInfo, whole: Range, words: Words) -> list[Line]:
    """R4: the slowest endpoint, the one that takes the most time, and what the slowest requests share."""
    if not slow.endpoints or not slow.requests:
        return [Line("r4_untimed", {})]
    slowest = slow.endpoints[0]
    lines = [_line("r4_slowest", _latencies(slowest, words), words, endpoint=_named(slowest))]
    if not slowest.enough_calls:
        lines.append(Line("r4_few", {}))
    longest = max(slow.endpoints, key=lambda each: each.time_ms)
    values = {"share": fmt.rate(longest.time_share), **_latencies(longest, words)}
    lines.append(_line("r4_time", values, words, endpoint=_named(longest)))
    first, last = slow.requests[0], slow.requests[-1]
    values = {
        "ms": fmt.duration(first.latency_ms),
        "endpoint": f"{first.method} {first.route}",
        "when": fmt.day_clock(first.ts, zone) if _is_long(whole) else fmt.clock(first.ts, zone),
        "k": str(len(slow.requests)),
        "least": fmt.duration(last.latency_ms),
    }
    minute = first.ts.replace(second=0, microsecond=0)
    times = {"when": Range(minute, minute + MINUTE)}
    lines.append(Line("r4_requests", values, {"endpoint": {"method": first.method, "route": first.route}}, times))
    common = [each for each in slow.common if each.count >= _FEWEST_COMMON][:_MOST_COMMON]
    if not common:
        lines.append(Line("r4_nothing", {"k": str(slow.examined)}))
    return [*lines, *(_common(each, slow.examined, words) for each in common)]


def say_segments(found: Networks, hours: Sequence[Hour], zone: ZoneInfo, words: Words) -> list[Line]:
    """A part of R5: the hour with the longest latency, and the network that sends most."""
    lines = []
    fact = say_slow_hour(week_of(hours, zone), words)
    if fact is not None:
        lines.append(Line(fact.key, fact.values, times=fact.times))
    if found.networks and found.networks[0].share >= _LARGE_NETWORK:
        largest = found.networks[0]
        values = {"share": fmt.rate(largest.share), "network": largest.network, "n": fmt.count(largest.clients)}
        lines.append(Line("say_network", values, {"network": {"client_ip": largest.network}}))
    return lines


def say_apart(found: Apart, words: Words) -> list[Line]:
    """A part of R5: the groups that fare the worst against all others."""
    lines = []
    for each in [each for each in found.segments if each.effect > 0][:_MOST_APART]:
        values = {
            "field": field_name(each.field, words),
            "value": value_name(each.field, each.value, words),
            "rate": fmt.rate(each.rate),
            "others": fmt.rate(each.rate_others),
            "n": words("n_requests", n=fmt.count(each.n)),
            "ms": fmt.duration(found.slow_ms),
        }
        filters = filter_of(each.field, each.value)
        lines.append(_line(f"r5_apart_{each.measure}", values, words, **({"value": filters} if filters else {})))
    return lines


def say_novelties(found: Novelties, zone: ZoneInfo, words: Words) -> list[Line]:
    """A part of R5: what is new and what is gone."""
    if found.history is None:
        return []
    lines = []
    for each in found.found[:_MOST_NOVEL]:
        values = {
            "value": novel_name(each, words),
            "n": words("n_requests", n=fmt.count(each.found.n)),
            "since": fmt.day_clock(found.history.start, zone),
        }
        filters = filters_of(each)
        key = f"r5_novel_{each.found.what}_{each.field}"
        lines.append(_line(key, values, words, **({"value": filters} if filters else {})))
    return lines


def text_of(line: Line, words: Words) -> str:
    """A sentence as plain text."""
    return words(line.key, **line.values).replace("\u2060", "")


def _line(key: str, values: dict[str, str], words: Words, **links: dict[str, str]) -> Line:
    return Line(key, {name: values[name] for name in words.fields(key)}, links)


def _trend(paces: Sequence[float]) -> Line:
    part = max(1, len(paces) // _QUARTER)
    first, last = sum(paces[:part]), sum(paces[-part:])
    if not first or abs(last / first - 1) < _EVEN:
        return Line("r1_even", {"change": f"{abs(last / first - 1) * 100 if first else 0:.0f}%"})
    relative = last / first - 1
    return Line("r1_more" if relative > 0 else "r1_less", {"change": f"{abs(relative) * 100:,.0f}%"})


def _largest_client(part: TrafficPart, words: Words) -> list[Line]:
    if not part.clients.clients:
        return []
    first = part.clients.clients[0]
    values = {"client": first.client_ip, "share": fmt.rate(first.share)}
    values["n"] = words("n_requests", n=fmt.count(first.count))
    return [Line("r1_client", values, {"client": {"client_ip": first.client_ip}})]


def _failing(used: Usage, errors: int, server: int, words: Words) -> list[Line]:
    lines = []
    worst = max(used.endpoints, key=lambda each: each.errors, default=None)
    if worst is not None and worst.errors:
        values = {"endpoint": f"{worst.method} {worst.route}", "n": words("n_times", n=fmt.count(worst.errors))}
        values |= {"share": fmt.rate(worst.errors / errors), "rate": fmt.rate(worst.error_rate)}
        lines.append(Line("r3_endpoint", values, {"endpoint": _named(worst)}))
    failing = max(used.endpoints, key=lambda each: each.server_errors, default=None)
    if failing is not None and failing.server_errors and failing is not worst:
        values = {"endpoint": f"{failing.method} {failing.route}", "share": fmt.rate(failing.server_errors / server)}
        values["n"] = words("n_times", n=fmt.count(failing.server_errors))
        lines.append(Line("r3_server", values, {"endpoint": _named(failing)}))
    return lines


def _failing_hour(hours: Sequence[Hour], zone: ZoneInfo, whole: Range, words: Words) -> list[Line]:
    """The hour of the range with the most errors, where there are several hours and enough errors."""
    errors, total = sum(hour.tally.errors for hour in hours), sum(hour.tally.n for hour in hours)
    if len(hours) < 2 or errors < _FEWEST_ERRORS:
        return []
    worst = max(hours, key=lambda hour: (hour.tally.errors, hour.start))
    values = {
        "when": _clock(whole)(worst.start, zone),
        "n": words("n_times", n=fmt.count(worst.tally.errors)),
        "rate": fmt.rate(worst.tally.error_rate),
        "usual": fmt.rate(errors / total),
    }
    return [Line("r3_hour", values, times={"when": Range(worst.start, worst.end)})]


def _common(common: Common, examined: int, words: Words) -> Line:
    value = f"{common.value:02d}:00" if common.field == "hour" and isinstance(common.value, int) else str(common.value)
    values = {
        "k": str(examined),
        "share": fmt.rate(common.share_in_slowest),
        "field": words(f"trait_{common.field}"),
        "value": value,
    }
    if common.share_overall is not None:
        values["overall"] = fmt.rate(common.share_overall)
    link = {} if common.field == "hour" else {"value": {common.field: str(common.value)}}
    return Line("r4_common" if "overall" in values else "r4_common_alone", values, link)


def _latencies(each: SlowEndpoint, words: Words) -> dict[str, str]:
    named = ("mean", "p50", "p90", "p95", "p99")
    return {
        "endpoint": f"{each.method} {each.route}",
        "n": words("n_requests", n=fmt.count(each.count)),
        **{name: fmt.duration(getattr(each.latency, name)) for name in named},
    }


def _named(each: Endpoint | SlowEndpoint) -> dict[str, str]:
    return {"method": each.method, "route": each.route}


def _is_long(whole: Range) -> bool:
    return whole.end - whole.start > _DAY


def _clock(whole: Range) -> Callable[[datetime, ZoneInfo], str]:
    return fmt.day_clock if _is_long(whole) else fmt.clock


def _width(width: timedelta, words: Words) -> str:
    minutes = width // MINUTE
    if minutes == 60:
        return words("width_hours")
    days = minutes // (24 * 60)
    return words("width_days", n=days) if days else words("width_minutes", n=minutes)
