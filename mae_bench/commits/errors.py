"""Quality as errors: above nought, less is better, one number a seed.

For viewers of series that know no direction and compare by ratio. An error is 1 - R²,
1 - accuracy or the error itself; a gap is 1 - tau of a theory's forecast. Below
``LEAST`` errors are not told apart, so that a ratio never meets a nought.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.metrics import Headline
from mae_bench.records.rows import Measurements, matching
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.forecast import forecast_skill
from mae_bench.verdicts.rank import HEADLINES

if TYPE_CHECKING:
    from mae_bench.theories import Theory

LEAST = 1e-3
RANKED = tuple(h for h in HEADLINES if h.direction != "none")
Point = tuple[str, ...]
# Errors of the seeds in order, or None where a seed failed: a median over those that
# lived would hide what broke. What does not apply is absent.
Errors = dict[Point, list[float] | None]


def of_commit(rows: pd.DataFrame, commit: str, tier: str) -> None:
    """Refuse measurements that are not of this commit, clean, in this tier.

    Args:
        rows: Of one experiment.
        commit: Full hash.
        tier: Tier id.

    Raises:
        UsageError: Some are of other code, of changed code, or of another tier.
    """
    known = set(rows["commit"]) - {""}
    if known != {commit[:12]}:
        named = ", ".join(sorted(known)) or "no commit"
        raise UsageError(f"measured by the code of {named}, not of {commit[:12]}")
    if rows["dirty"].astype(bool).any():
        raise UsageError(f"measured by changed code, not by that of {commit[:12]}")
    others = sorted(set(rows["tier"]) - {tier})
    if others:
        raise UsageError(f"measured in tier {', '.join(others)}, not {tier}")


def label(headline: Headline, version: int) -> str:
    """Name of a headline's series: an instrument that moved starts a new one.

    >>> label(HEADLINES[0], 2)
    'linear_r2_level_0/v2'
    """
    return f"{headline.name}/v{version}"


def headline_errors(rows: pd.DataFrame) -> Errors:
    """(dataset, method, headline) -> errors, of the leaderboard's ranked headlines.

    ``ceiling_ratio``'s is the gap to the exact answer, as a share of it.

    Args:
        rows: Measurements of the experiment ``leaderboard``.
    """
    rows = rows[rows["view"].isin(["unmasked", ""])]
    found: Errors = {}
    for (dataset, headline), mine in _applicable(rows):
        measured = mine[mine["status"] == "ok"]
        if not measured.empty:
            name = label(headline, int(measured["metric_version"].max()))
            for method, cells in mine.groupby("method"):
                point = (dataset, str(method), name)
                found[point] = _errors(cells.sort_values("seed"), headline)
    return found


def _applicable(
    rows: pd.DataFrame,
) -> Iterator[tuple[tuple[str, Headline], pd.DataFrame]]:
    """Rows of each dataset and headline, of the methods that it applies to.

    A cell that failed does not know that a metric would have been skipped; those of
    the method's other seeds do.
    """
    for dataset, world in rows.groupby("dataset"):
        for headline in RANKED:
            where = {"metric": headline.metric, "target": headline.target}
            mine = matching(world, {**where, "token": headline.token})
            skipped = mine.loc[mine["status"] == "skipped", "method"]
            yield (str(dataset), headline), mine[~mine["method"].isin(skipped)]


def _errors(cells: pd.DataFrame, headline: Headline) -> list[float] | None:
    if (cells["status"] != "ok").any():
        return None
    values = cells["value"].astype(float)
    return _above_nought(1 - values if headline.direction == "max" else values)


def _above_nought(errors: pd.Series[float]) -> list[float]:
    return [max(round(error, 6), LEAST) for error in errors]


def forecast_gaps(measurements: Measurements, theories: Mapping[str, Theory]) -> Errors:
    """(theory,) -> 1 - tau of its forecast with what was measured, in (0, 2].

    The forecasts are those of the running code, whatever code measured: a change of a
    formula moves the whole series.

    Args:
        measurements: Experiment id -> its rows.
        theories: By id; those without a forecast, or whose experiment was not
            measured, are left out.
    """
    found: Errors = {}
    for name, theory in theories.items():
        if theory.forecast is None:
            continue
        experiment = theory.forecast.experiment.id
        if experiment not in measurements:
            continue
        rows = measurements[experiment]
        taus = [
            forecast_skill(theory.forecast, {experiment: seed}).skill
            for _, seed in rows.groupby("seed")
        ]
        lacking = any(math.isnan(tau) for tau in taus)
        found[(name,)] = None if lacking else _above_nought(1 - pd.Series(taus))
    return found
