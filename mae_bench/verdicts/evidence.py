"""The rows that a claim speaks of, among all that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import COLUMNS, Measurements, Where, matching
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from mae_bench.experiments import Experiment
    from mae_bench.metrics import Metric

# What no claim is about; the rest orders the rows.
_PROVENANCE = (
    "experiment",
    "metric_version",
    "n_eval",
    "reason",
    "train_seconds",
    "commit",
    "dirty",
    "versions",
    "device",
)


def select(
    measurements: Measurements,
    experiment: Experiment,
    metrics: tuple[Metric, ...],
    where: Where,
) -> pd.DataFrame:
    """The rows of an experiment that a claim speaks of, failures with a NaN value.

    Args:
        measurements: Experiment id -> its tidy rows.
        experiment: Where it is looked for.
        metrics: What is looked at.
        where: Row filters.

    Returns:
        Sorted, so that nothing depends on the order of the file, and without the
        columns that say only how the rows came to be.

    Raises:
        ValueError: An unknown column, or rows of several tiers.
    """
    name = experiment.id
    if name not in measurements:
        return pd.DataFrame(columns=list(COLUMNS))
    wanted = {"metric": tuple(metric.id for metric in metrics)}
    rows = matching(matching(measurements[name], wanted), where)
    tiers = sorted(rows["tier"].unique())
    if len(tiers) > 1:
        raise UsageError(f"{name} mixes tiers {', '.join(tiers)}; judge one at a time")
    rows = rows.drop(columns=[c for c in _PROVENANCE if c in rows])
    value = rows["value"].astype(float).where(rows["status"] == "ok")
    return rows.assign(value=value).sort_values(list(rows.columns), ignore_index=True)


def applicable(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the rows that say that the metric is not for this method or dataset."""
    return rows[rows["status"] != "skipped"]


def coverage(rows: pd.DataFrame) -> float:
    """Share of the cells whose every row has a value; 0 without cells."""
    if rows.empty:
        return 0.0
    return float(rows["value"].notna().groupby(rows["cell"]).all().mean())
