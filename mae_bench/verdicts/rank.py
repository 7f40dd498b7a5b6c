"""The leaderboard: where each method stands, and which ranks its seeds allow.

A rank is an interval: from 1 + the methods that are significantly better to K less
those that are significantly worse, by paired differences over seeds. What failed is
named and neither ranked nor imputed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Headline, Metric
from mae_bench.records.faults import WrongPart
from mae_bench.records.rows import (
    COLUMNS,
    Measurements,
    matching,
    over_roundings,
    seed_means,
    write_table,
)
from mae_bench.records.stats import CONFIDENCE, holm, p_value, student_interval

FLOOR, CEILING = "random_init", "oracle_latents"
# The same read-out, held against the latents of other images.
SHUFFLED = "/shuffled"
ENOUGH_SEEDS = 3


def columns_of(metrics: Sequence[Metric]) -> tuple[Headline, ...]:
    """Every headline of some metrics, in their order.

    Raises:
        WrongPart: Two have the same column.
    """
    found: dict[str, Headline] = {}
    for headline in (h for metric in metrics for h in metric.headlines):
        name = headline.name
        if name in found:
            raise WrongPart(
                f"metric {headline.metric}: the leaderboard has a column {name} of "
                f"{found[name].metric}; declare a headline with another target"
            )
        found[name] = headline
    return tuple(found.values())


HEADLINES = columns_of(LEADERBOARD.metrics)
_PARTS = (
    "",
    "_low",
    "_high",
    "_floor",
    "_ceiling",
    "_chance",
    "_n_seeds",
    "_rank_best",
    "_rank_worst",
)


def rank_intervals(
    table: pd.DataFrame, direction: Literal["max", "min"]
) -> dict[str, tuple[int, int]]:
    """Best and worst rank of each method that its seeds allow.

    A method is compared with every other on the seeds that both have, by two-sided t
    tests of the differences, Holm-adjusted over its own comparisons: 95 % is the
    confidence of each interval, not of all of them together. A pair that cannot be
    told apart, or that shares too few seeds, is a tie.

    Args:
        table: Values, seeds against methods; NaN where there is none.
        direction: Which way is better.

    Returns:
        Method -> (best, worst), from 1; methods with fewer than three seeds are absent.
    """
    ranked = [str(m) for m in table if table[m].count() >= ENOUGH_SEEDS]
    found = {}
    for mine in ranked:
        others = [other for other in ranked if other != mine]
        tests = [_better(table[mine] - table[other], direction) for other in others]
        adjusted = holm([p for _, p in tests])
        told = [
            leads
            for (leads, _), p in zip(tests, adjusted, strict=True)
            if p < 1 - CONFIDENCE
        ]
        ahead = sum(told)
        found[mine] = (1 + len(told) - ahead, len(ranked) - ahead)
    return found


def _better(difference: pd.Series, direction: str) -> tuple[bool, float]:
    """Whether the first of a pair leads, and the two-sided p-value of that."""
    d = difference.dropna().to_numpy(float) * (1 if direction == "max" else -1)
    # The same difference in every seed is one observation, not several.
    if len(d) < ENOUGH_SEEDS or np.ptp(d) < 1e-9:
        return False, math.nan
    above, below = p_value(d), p_value(-d)
    return above < below, min(1.0, 2 * min(above, below))


def _headline_table(
    rows: pd.DataFrame, headline: Headline, suffix: str = ""
) -> pd.DataFrame:
    """Values of one dataset, seeds against methods; ``suffix`` is of the token."""
    where = {
        "metric": headline.metric,
        "target": headline.target,
        "token": headline.token + suffix,
        "view": "unmasked",
        "status": "ok",
    }
    means = seed_means(matching(rows, where), "method").rename("value").reset_index()
    return means.pivot_table(index="seed", columns="method", values="value")


def _mean(table: pd.DataFrame, method: str) -> float:
    return float(table[method].mean()) if method in table else math.nan


def _columns(rows: pd.DataFrame, headline: Headline) -> dict[str, dict[str, float]]:
    """Method -> the headline's columns, for one dataset."""
    table = _headline_table(rows, headline)
    chance = _headline_table(rows, headline, SHUFFLED)
    floor, ceiling = _mean(table, FLOOR), _mean(table, CEILING)
    ranks: Mapping[str, tuple[float, float]] = {}
    if headline.direction != "none" and headline.fair:
        contestants = table.drop(columns=[FLOOR, CEILING], errors="ignore")
        ranks = rank_intervals(contestants, headline.direction)
    found = {}
    for method in map(str, table):
        values = table[method].dropna()
        rank = ranks.get(method, (math.nan, math.nan))
        ends = (floor, ceiling, _mean(chance, method))
        numbers = (*student_interval(values), *ends, len(values), *rank)
        names = (headline.name + part for part in _PARTS)
        found[method] = dict(zip(names, map(float, numbers), strict=True))
    return found


def _fate(rows: pd.DataFrame) -> tuple[str, str]:
    """Coverage and status of a method's cells: ``4/5`` and ``diverged 1``."""
    keys = {(h.metric, h.target, h.token) for h in HEADLINES}
    concerned = pd.concat(
        [
            matching(rows, {"metric": (m, ""), "target": t, "token": k})
            for m, t, k in sorted(keys)
        ]
    )
    bad = concerned[~concerned["status"].isin(["ok", "skipped"])]
    failures = bad.drop_duplicates(["cell", "status"])["status"]
    cells = rows["cell"].nunique()
    named = (f"{status} {n}" for status, n in sorted(Counter(failures).items()))
    return f"{cells - bad['cell'].nunique()}/{cells}", ", ".join(named) or "ok"


def _board(world: pd.DataFrame) -> pd.DataFrame:
    """The rows of one dataset, best first."""
    found = [_columns(world, headline) for headline in HEADLINES]
    records = []
    for method, cells in world.groupby("method"):
        record: dict[str, object] = {"method": method}
        for columns in found:
            record |= columns.get(str(method), {})
        record["coverage"], record["status"] = _fate(cells)
        records.append(record)
    board = pd.DataFrame(records)
    lead = next((h for h in HEADLINES if h.name in board), None)
    if lead is None:
        return board
    return board.sort_values(
        lead.name, ascending=lead.direction == "min", kind="stable"
    )


def rank(measurements: Measurements) -> pd.DataFrame:
    """The leaderboard of the experiment of that name; empty if it is not measured.

    Args:
        measurements: Experiment id -> its tidy rows.

    Returns:
        One row a (dataset, method), best first by the first headline of the dataset.
        Columns dataset, method; of every headline the value, its 95 % interval (low,
        high), floor, ceiling, chance, n_seeds and rank interval (rank_best,
        rank_worst); then coverage (whole cells / cells) and status. The floor and the
        ceiling are the means of ``random_init`` and ``oracle_latents``, which are not
        ranked; chance is what the method's own features score against the latents of
        other images, where the metric reads latents.
    """
    rows = measurements.get("leaderboard", pd.DataFrame(columns=list(COLUMNS)))
    rows = over_roundings(rows[rows["view"].isin(["unmasked", ""])])
    rows = rows.sort_values(list(rows.columns), ignore_index=True)
    numbers = [headline.name + part for headline in HEADLINES for part in _PARTS]
    columns = ["dataset", "method", *numbers, "coverage", "status"]
    boards = [
        _board(world).assign(dataset=dataset)
        for dataset, world in rows.groupby("dataset")
    ]
    if not boards:
        return pd.DataFrame(columns=columns)
    return pd.concat(boards, ignore_index=True).reindex(columns=columns)


def write(leaderboard: pd.DataFrame, folder: Path) -> None:
    """Write ``leaderboard.csv``.

    Raises:
        StoreError: The disk does not take it; the file is whole, old or new.
    """
    write_table(leaderboard, folder / "leaderboard.csv")


def render(leaderboard: pd.DataFrame) -> str:
    """The leaderboard as plain text: value ± half the interval, coverage, status."""
    shown = leaderboard[["dataset", "method"]].copy()
    for name in (h.name for h in HEADLINES if leaderboard[h.name].notna().any()):
        half = (leaderboard[f"{name}_high"] - leaderboard[f"{name}_low"]) / 2
        shown[name] = [
            _with_error(v, e) for v, e in zip(leaderboard[name], half, strict=True)
        ]
    shown[["coverage", "status"]] = leaderboard[["coverage", "status"]]
    lines = [list(map(str, line)) for line in [shown.columns, *shown.to_numpy()]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _with_error(value: float, half: float) -> str:
    """Three decimals; ``?`` for an interval that one seed cannot give.

    >>> _with_error(0.8123, 0.02), _with_error(0.5, math.nan)
    ('0.812 ± 0.020', '0.500 ± ?')
    """
    if math.isnan(value):
        return "-"
    return f"{value:.3f} ± " + ("?" if math.isnan(half) else f"{half:.3f}")
