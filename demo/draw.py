"""Draw the calls of one hour as numpy columns: who called what, when, and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from demo.clients import population
from demo.endpoints import ENDPOINTS, INDEX, calls_per_entry, entry_shares
from demo.incidents import Incident
from demo.rhythm import intensity

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
LONGEST_CHAIN = 6
LONGEST_DELAY_S = 90.0
# Minutes are a little uneven even where the rhythm is flat.
MINUTE_NOISE = 0.06
# Queues form at the busy hours: response times grow by this much per unit of intensity above the mean.
LOAD_EFFECT = 0.18
# A refused call ends before the real work.
EARLY_END = {**dict.fromkeys((304, 400, 401, 403, 404, 409, 422), 0.45), 429: 0.1, 503: 0.3}
# How long the gateway waits for a service before it answers 504 in its place.
TIMEOUT_MS = {"shop-api": 3_000.0, "auth-api": 3_000.0, "report-api": 10_000.0}
ERROR_BYTES = 180

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls as parallel columns."""

    at_us: _Ints
    endpoint: _Ints
    client: _Ints
    status: _Ints
    latency_ms: _Floats
    size: _Ints
    chance: _Floats
    """Between 0 and 1, for everything about the call that is not drawn here."""

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Calls:
        """Return some of the calls."""
        return Calls(*(getattr(self, column.name)[chosen] for column in fields(self)))

    @staticmethod
    def join(parts: list[Calls]) -> Calls:
        """Return all calls of several parts, in time order."""
        joined = Calls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Calls)))
        return joined.take(np.argsort(joined.at_us, kind="stable"))


@dataclass(frozen=True, slots=True)
class _Wave:
    """Calls of equal depth: those nothing led to, then those that followed them, and so on."""

    at_us: _Ints
    endpoint: _Ints
    client: _Ints
    status: _Ints


# One distribution of statuses per endpoint, then those that follow-ups bring along.
_MIXES: list[Mapping[int, float]] = [endpoint.statuses for endpoint in ENDPOINTS]
_FOLLOW_UP_MIX: dict[tuple[int, int], int] = {}
for _source, _endpoint in enumerate(ENDPOINTS):
    for _place, _follow_up in enumerate(_endpoint.follow_ups):
        if _follow_up.statuses is None:
            _FOLLOW_UP_MIX[_source, _place] = INDEX[_follow_up.endpoint]
        else:
            _FOLLOW_UP_MIX[_source, _place] = len(_MIXES)
            _MIXES.append(_follow_up.statuses)

_P50_MS, _SIGMA, _SLOW_SHARE, _SLOW_P50_MS, _SLOW_SIGMA = (
    np.array([getattr(endpoint.latency, name) for endpoint in ENDPOINTS], dtype=np.float64)
    for name in ("p50_ms", "sigma", "slow_share", "slow_p50_ms", "slow_sigma")
)
_BYTES_P50 = np.array([endpoint.bytes_p50 for endpoint in ENDPOINTS], dtype=np.float64)
_TIMEOUT_MS = np.array([TIMEOUT_MS[endpoint.service] for endpoint in ENDPOINTS])
_ENTRY_SHARES = entry_shares()
_CALLS_PER_ENTRY = float(calls_per_entry().sum())


def draw_hour(hour: int, *, seed: int, rate: float) -> Calls:
    """Return the calls that begin in one hour (counted since 1970) and what follows from them, in time order.

    Args:
        rate: Mean requests per second of a working day.
    """
    rng = np.random.default_rng([seed, hour])
    waves = list(_waves(rng, hour, rate))
    at_us, endpoint, client, status = (
        np.concatenate([getattr(wave, column.name) for wave in waves]) for column in fields(_Wave)
    )
    latency_ms = _latencies(rng, at_us, endpoint, status)
    return Calls.join(
        [Calls(at_us, endpoint, client, status, latency_ms, _sizes(rng, endpoint, status), rng.random(len(at_us)))]
    )


def with_incidents(calls: Calls, incidents: tuple[Incident, ...], rng: np.random.Generator) -> Calls:
    """Return the calls as they went while the incidents lasted; the rest of them is untouched."""
    status, latency_ms, size = calls.status.copy(), calls.latency_ms.copy(), calls.size.copy()
    # Drawn for every call, so that what one incident does to a call does not depend on the others.
    fate, detail = rng.random(len(status)), rng.random(len(status))
    for incident in incidents:
        struck = (
            (calls.endpoint == INDEX[incident.endpoint])
            & (calls.at_us >= epoch_us(incident.start))
            & (calls.at_us < epoch_us(incident.end))
        )
        if incident.app_version is not None:
            struck &= _has_version(calls.client, incident.app_version)
        latency_ms[struck] *= incident.latency_factor
        failed = struck & (fate < incident.failing_share)
        if failed.any():
            status[failed] = _pick(incident.failing_statuses, detail[failed])
            latency_ms[failed] = incident.timeout_ms + 40 * detail[failed]
            size[failed] = ERROR_BYTES
    return Calls(calls.at_us, calls.endpoint, calls.client, status, np.round(latency_ms, 1), size, calls.chance)


def epoch_us(moment: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _waves(rng: np.random.Generator, hour: int, rate: float) -> Iterator[_Wave]:
    minutes = hour * HOUR_US + np.arange(60, dtype=np.int64) * MINUTE_US
    expected = rate * 60 / _CALLS_PER_ENTRY * intensity(minutes / 1e6 + 30)
    counts = rng.poisson(expected * np.exp(rng.normal(0, MINUTE_NOISE, 60)))
    total = int(counts.sum())
    at_us = np.repeat(minutes, counts) + rng.integers(0, MINUTE_US, total)
    endpoint = rng.choice(len(ENDPOINTS), total, p=_ENTRY_SHARES).astype(np.int64)
    wave = _Wave(at_us, endpoint, _clients(rng, endpoint), _statuses(rng, endpoint))
    for _ in range(LONGEST_CHAIN):
        yield wave
        wave = _followers(rng, wave)


def _followers(rng: np.random.Generator, wave: _Wave) -> _Wave:
    """Return what the clients of a wave do next, where their call succeeded."""
    chance = rng.random(len(wave.at_us))
    pause = np.exp(rng.normal(0, 0.6, len(wave.at_us)))
    at_us, endpoint, client, mix = [], [], [], []
    for source, declared in enumerate(ENDPOINTS):
        low = 0.0
        for place, follow_up in enumerate(declared.follow_ups):
            chosen = (wave.endpoint == source) & (wave.status < 400)
            chosen &= (chance >= low) & (chance < low + follow_up.share)
            low += follow_up.share
            delay_s = np.minimum(follow_up.delay_s * pause[chosen], LONGEST_DELAY_S)
            at_us.append(wave.at_us[chosen] + (delay_s * 1e6).astype(np.int64))
            endpoint.append(np.full(int(chosen.sum()), INDEX[follow_up.endpoint], dtype=np.int64))
            client.append(wave.client[chosen])
            mix.append(np.full(int(chosen.sum()), _FOLLOW_UP_MIX[source, place], dtype=np.int64))
    return _Wave(
        np.concatenate(at_us), np.concatenate(endpoint), np.concatenate(client), _statuses(rng, np.concatenate(mix))
    )


def _clients(rng: np.random.Generator, endpoint: _Ints) -> _Ints:
    drawn = np.empty(len(endpoint), dtype=np.int64)
    for number, declared in enumerate(ENDPOINTS):
        chosen = endpoint == number
        drawn[chosen] = population().draw(rng, declared.audience, int(chosen.sum()))
    return drawn


def _has_version(client: _Ints, version: str) -> NDArray[np.bool_]:
    has = np.array([one.app_version == version for one in population().clients])
    return np.asarray(has[client])


def _statuses(rng: np.random.Generator, mix: _Ints) -> _Ints:
    chance = rng.random(len(mix))
    status = np.empty(len(mix), dtype=np.int64)
    for number in np.unique(mix):
        chosen = mix == number
        status[chosen] = _pick(_MIXES[number], chance[chosen])
    return status


def _pick(shares: Mapping[int, float], chance: _Floats) -> _Ints:
    """Turn numbers between 0 and 1 into statuses by their shares."""
    bounds = np.cumsum(list(shares.values()))
    place = np.minimum(np.searchsorted(bounds, chance, side="right"), len(bounds) - 1)
    return np.array(list(shares), dtype=np.int64)[place]


def _latencies(rng: np.random.Generator, at_us: _Ints, endpoint: _Ints, status: _Ints) -> _Floats:
    slow = rng.random(len(endpoint)) < _SLOW_SHARE[endpoint]
    p50 = np.where(slow, _SLOW_P50_MS[endpoint], _P50_MS[endpoint])
    sigma = np.where(slow, _SLOW_SIGMA[endpoint], _SIGMA[endpoint])
    latency = p50 * np.exp(sigma * rng.standard_normal(len(endpoint)))
    latency *= 1 + LOAD_EFFECT * (intensity(at_us / 1e6) - 1)
    for code, factor in EARLY_END.items():
        latency[status == code] *= factor
    timed_out = status == 504
    latency[timed_out] = _TIMEOUT_MS[endpoint[timed_out]] + 15 * rng.random(int(timed_out.sum()))
    return np.asarray(np.round(np.maximum(latency, 0.3), 1))


def _sizes(rng: np.random.Generator, endpoint: _Ints, status: _Ints) -> _Ints:
    size = _BYTES_P50[endpoint] * np.exp(0.35 * rng.standard_normal(len(endpoint)))
    size[status >= 400] = ERROR_BYTES
    size[(status == 204) | (status == 304)] = 0
    return size.astype(np.int64)
