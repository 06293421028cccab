"""`make bench-insight`: how often the search finds what was planted, and how often it finds what is not there.

One JSON object a line, beside the goals; it ends with code 0 also where they are missed. ARGS="--quick" takes a minute,
--tune takes the seeds on which thresholds may be chosen (the reported ones must not be), --details prints what was
missed, misjudged or invented. --kinds, --sizes and --rates choose; --seeds says how many at each rate.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from bench.insight.figures import near, tell
from bench.insight.follow import Found
from bench.insight.jobs import QUIET_RATES, RATES, Job, Result, incident_jobs, quiet_jobs, run_all
from bench.insight.sizes import PLANS, SIZES
from bench.report import report


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    options = _options().parse_args(arguments)
    began = time.monotonic()
    results = []
    for result in run_all(jobs_of(options), options.workers):
        results.append(result)
        if options.details:
            _details(result)
    tell(results)
    report("insight: the whole run", time.monotonic() - began, "s", scenarios=len(results), tune=options.tune)


def jobs_of(options: argparse.Namespace) -> list[Job]:
    """What the options ask for."""
    rates, seeds, quiet, days = options.rates, options.seeds, options.quiet, 7.0
    if options.quick:
        rates, seeds, days = rates or (5.0, 50.0), seeds or 1, 2.0
        quiet = (1.0, 5.0) if quiet is None else quiet
    jobs = (
        []
        if options.only_quiet
        else list(incident_jobs(options.kinds, options.sizes, rates or RATES, seeds or 3, tune=options.tune))
    )
    if options.quick:
        jobs = [job for job in jobs if job.kind != "latency_band" or job.rate <= 5]
    return jobs + list(quiet_jobs(QUIET_RATES if quiet is None else quiet, days, tune=options.tune))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.insight", description="Measure the search on planted incidents.")
    parser.add_argument("--kinds", type=_listed, default=tuple(PLANS), help="of incidents, separated by commas")
    parser.add_argument("--sizes", type=_listed, default=SIZES, help=", ".join(SIZES))
    parser.add_argument("--rates", type=_numbers, help="requests a second")
    parser.add_argument("--seeds", type=int, help="scenarios of the smallest size at each rate; a third of the others")
    parser.add_argument("--quiet", type=_numbers, help="rates of the quiet weeks, one week each; 'none' for no week")
    parser.add_argument("--only-quiet", action="store_true", help="run nothing but the quiet weeks")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--tune", action="store_true", help="take the seeds that are for choosing thresholds")
    parser.add_argument("--quick", action="store_true", help="few scenarios, about a minute")
    parser.add_argument("--details", action="store_true", help="print each scenario that did not go well")
    return parser


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> tuple[float, ...]:
    return () if text == "none" else tuple(map(float, text.split(",")))


def _details(result: Result) -> None:
    """Print a scenario in which something was missed, misjudged or invented."""
    verdict = result.verdict
    if verdict is None:
        wrong, beside, faults = result.found, [], []
    else:
        wrong, beside = verdict.wrong, verdict.beside
        dated = near(verdict.start_error) or not PLANS[str(result.job.kind)].sudden
        named = {
            "missed": verdict.recalled,
            "subject": verdict.subject_right,
            "cause": verdict.cause_right,
            "start": dated,
        }
        faults = [name for name, good in named.items() if not good and (verdict.recalled or name == "missed")]
    if not (faults or wrong):
        return
    job = result.job
    what = {"kind": job.kind, "size": job.size, "rate": job.rate, "seed": job.seed, "faults": faults}
    best = None if verdict is None or verdict.best is None else _brief(verdict.best)
    lists = {"beside": [*map(_brief, beside)], "wrong": [*map(_brief, wrong)]}
    print(json.dumps(what | {"truth": result.truth, "best": best} | lists), flush=True)


def _brief(found: Found) -> str:
    last, subject = found.last, found.last.subject
    names = (subject.service, subject.method, subject.route, subject.status, subject.client_ip, subject.network)
    where = " ".join(name for name in (*names, subject.client_type) if name is not None)
    values = f"{last.expected:.3g} -> {last.observed:.3g} n={last.n} score={last.score:.1f}"
    until = "end" if found.closed is None else found.closed
    return (
        f"{last.kind} [{where}] {last.cause} from {last.start:%a %H:%M} {values}, open minute {found.opened} to {until}"
    )


if __name__ == "__main__":
    main()
