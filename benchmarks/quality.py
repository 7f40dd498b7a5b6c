"""Quality of the commit at hand, from its measurements; nothing here trains.

``mae-bench history`` measures commits and writes the same series, by the same names;
these read what it left, in ``.history`` or the folder that ``MAE_BENCH_HISTORY`` names.
What is not there is n/a. Less is better throughout: an error is 1 - R², 1 - accuracy
or the error itself, a gap is 1 - tau of a forecast.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, ClassVar

from mae_bench.commits import asv_feed, errors, history
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.runs import provenance

VERSIONS = {metric.id: metric.version for metric in LEADERBOARD.metrics}
HEADLINES = [errors.label(h, VERSIONS[h.metric]) for h in errors.RANKED]
DATASETS = [registry.id_of(dataset) for dataset in LEADERBOARD.datasets]
METHODS = [registry.id_of(method) for method in LEADERBOARD.methods]
THEORIES = {
    name: registry.load("theories", name) for name in registry.names("theories")
}
FORECASTING = [name for name, theory in THEORIES.items() if theory.forecast]
ROOT = Path(
    os.environ.get("MAE_BENCH_HISTORY", Path(__file__).parent.parent / ".history")
)


def measured() -> dict[str, Any]:
    """The rows of the code at hand; none if it has not been measured as it stands."""
    code = provenance.code()
    folder = history.place(ROOT, code["commit"])
    entry = history.read(folder)
    if code["dirty"] or not code["commit"] or entry is None or not entry.measured:
        return {}
    try:
        return dict(history.measurements(folder, entry))
    except UsageError:
        return {}


def seeds(samples: list[float] | None) -> Any:
    """What asv takes the seeds' errors as; NaN if there are none."""
    return {"samples": samples, "number": 1} if samples else math.nan


class Leaderboard:
    """The leaderboard's headlines as errors."""

    version = asv_feed.VERSION
    timeout = asv_feed.TIMEOUT
    params: ClassVar = [DATASETS, METHODS, HEADLINES]
    param_names: ClassVar = list(asv_feed.LEADERBOARD.param_names)

    def setup_cache(self) -> errors.Errors:
        rows = measured()
        if "leaderboard" not in rows:
            return {}
        return errors.headline_errors(rows["leaderboard"])

    def track_error(
        self, found: errors.Errors, dataset: str, method: str, headline: str
    ) -> Any:
        return seeds(found.get((dataset, method, headline)))

    track_error.unit = asv_feed.LEADERBOARD.unit  # type: ignore[attr-defined]


class Forecasts:
    """How far each theory's ordering of configurations is from the measured one."""

    version = asv_feed.VERSION
    timeout = asv_feed.TIMEOUT
    params: ClassVar = [FORECASTING]
    param_names: ClassVar = list(asv_feed.FORECASTS.param_names)

    def setup_cache(self) -> errors.Errors:
        return errors.forecast_gaps(measured(), THEORIES)

    def track_gap(self, found: errors.Errors, theory: str) -> Any:
        return seeds(found.get((theory,)))

    track_gap.unit = asv_feed.FORECASTS.unit  # type: ignore[attr-defined]
