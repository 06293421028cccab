"""Which endpoints of a window a model is told of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, sqrt

from dashapp.stats.usage import Endpoint

MOST_ENDPOINTS, MOST_MOVED = 8, 12
_FEWEST_CALLS = 20


def choose_endpoints(
    used: Sequence[Endpoint],
    former: Mapping[tuple[str, str], Endpoint],
    wanted: Sequence[tuple[str | None, str | None]],
) -> list[Endpoint]:
    """Those that a reader would ask about: found, failing, slower than before, slow, much called. Pure."""

    def slower(each: Endpoint) -> float:
        other = former.get(key_of(each))
        if other is None or min(each.count, other.count) < _FEWEST_CALLS:
            return 0.0
        return (each.latency.p95 or 0.0) / (other.latency.p95 or 1.0)

    enough = [each for each in used if each.count >= _FEWEST_CALLS] or list(used)
    lists = (
        [each for each in used if key_of(each) in wanted],
        sorted((each for each in used if each.server_errors), key=lambda each: -each.server_errors)[:3],
        sorted((each for each in used if each.errors), key=lambda each: -each.errors)[:2],
        sorted(enough, key=lambda each: -slower(each))[:2],
        sorted(enough, key=lambda each: -(each.latency.p95 or 0.0))[:2],
        used[:3],
    )
    chosen = {key_of(each): each for some in lists for each in some}
    return list(chosen.values())[:MOST_ENDPOINTS]


def worst_endpoints(chosen: Sequence[Endpoint]) -> list[Endpoint]:
    """The one that the server fails most, and the one that fails most of all; none of which everything fails. Pure."""
    partly = [each for each in chosen if 0 < each.errors < each.count]
    worst = [max(partly, key=lambda each: getattr(each, name)) for name in ("server_errors", "errors") if partly]
    return list({key_of(each): each for each in worst}.values())


def moved_endpoints(
    used: Sequence[Endpoint], former: Mapping[tuple[str, str], Endpoint], chosen: Sequence[Endpoint]
) -> list[Endpoint]:
    """Of those that were not chosen, the ones whose traffic or p95 differs most from before, by what is usual. Pure."""
    taken = {key_of(each) for each in chosen}
    left = [each for each in used if key_of(each) not in taken]
    return sorted(left, key=lambda each: -_moved(each, former.get(key_of(each))))[:MOST_MOVED]


def _moved(each: Endpoint, former: Endpoint | None) -> float:
    """How many standard deviations of a Poisson count the requests, or about as many the p95, are away from before."""
    calls = former.count if former else 0
    traffic = abs(each.count - calls) / sqrt(each.count + calls)
    if former is None or not each.latency.p95 or not former.latency.p95:
        return traffic
    return max(traffic, abs(log(each.latency.p95 / former.latency.p95)) * sqrt(min(each.count, calls)))


def key_of(each: Endpoint) -> tuple[str, str]:
    """What an endpoint is told from others by."""
    return each.method, each.route
