"""Print figures: one JSON object a line."""

from __future__ import annotations

import json


def report(
    name: str, figure: float, unit: str, baseline: float | None = None, of: str | None = None, **more: object
) -> None:
    """Print one figure.

    Args:
        name: what was measured.
        figure: its value.
        unit: of both values.
        baseline: the same from something else in the same run.
        of: what the baseline is.
        more: whatever explains the figure.
    """
    values: dict[str, object] = {"name": name, "figure": round(figure, 3), "unit": unit}
    if baseline is not None:
        values |= {"baseline": round(baseline, 3), "ratio": round(figure / baseline, 3) if baseline else None}
        if of is not None:
            values["baseline_of"] = of
    print(json.dumps(values | more), flush=True)
