"""The ledger as Prometheus reads it: the same sums that the dashboard shows, whichever process is asked."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ingest_server.admission import Admission
from sql.ledger import Ledger

_LABELS = ("source", "service")
_COUNTS = {
    "received": "Records that came in requests answered 200.",
    "stored": "Records that became rows of the log.",
    "duplicate": "Records that were stored before.",
    "bytes": "Bytes of bodies after decompression.",
}


class _LedgerCollector:
    def __init__(self, ledger: Ledger, admission: Admission) -> None:
        self._ledger = ledger
        self._admission = admission

    def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily]:
        totals, refusals = self._ledger.totals()
        families: list[CounterMetricFamily | GaugeMetricFamily] = []
        sums: dict[tuple[str, str], dict[str, float]] = {}
        # A gauge: a replay takes records out again.
        quarantined = GaugeMetricFamily(
            "accessboard_quarantined_records", "Records that could not become a row.", labels=(*_LABELS, "reason")
        )
        for total in totals:
            of = sums.setdefault((total.source, total.service), dict.fromkeys((*_COUNTS, "lag_s", "last"), 0.0))
            for name in (*_COUNTS, "lag_s"):
                of[name] += getattr(total, name)
            of["last"] = max(of["last"], total.last_arrival.timestamp())
            if total.kind:
                quarantined.add_metric((total.source, total.service, total.kind), total.quarantined)
        for name, words in _COUNTS.items():
            unit = "" if name == "bytes" else "_records"
            family = CounterMetricFamily(f"accessboard_{name}{unit}", words, labels=_LABELS)
            for key, of in sums.items():
                family.add_metric(key, of[name])
            families.append(family)
        lag = CounterMetricFamily(
            "accessboard_storage_lag_seconds",
            "Seconds from event to storage, summed over stored records.",
            labels=_LABELS,
        )
        last = GaugeMetricFamily(
            "accessboard_last_arrival_timestamp_seconds", "When records came last.", labels=_LABELS
        )
        for key, of in sums.items():
            lag.add_metric(key, of["lag_s"])
            last.add_metric(key, of["last"])
        refused = CounterMetricFamily(
            "accessboard_refused_requests", "Requests that were turned away whole.", labels=("reason",)
        )
        for reason, n in refusals.items():
            refused.add_metric((reason,), n)
        work = GaugeMetricFamily("accessboard_requests_in_work", "Requests in work in the process that answers.")
        work.add_metric((), self._admission.requests)
        return [*families, quarantined, lag, last, refused, work]


def metrics_text(ledger: Ledger, admission: Admission) -> bytes:
    """Return the metrics in Prometheus' text format.

    Raises:
        DatabaseUnavailable: the ledger cannot be read.
    """
    registry = CollectorRegistry()
    registry.register(_LedgerCollector(ledger, admission))
    return generate_latest(registry)
