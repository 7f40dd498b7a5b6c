"""Trials -> each method's learning rate in a world, and its steps at equal cost.

Nothing that is looked at knows a label or a latent.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from mae_bench.experiments._chosen import COLUMNS
from mae_bench.records import registry
from mae_bench.records.rows import matching, over_roundings, write_table
from mae_bench.records.schema import FINISHED, Settings, UsageError

# What its trials are told apart by -> the number, and which way is better.
RULES: dict[str, tuple[Settings, int]] = {
    "loss": ({"metric": "held_out_loss", "token": "", "target": "mean"}, -1),
    "rank": ({"metric": "effective_rank", "token": "mean", "target": "centred"}, 1),
}
LOST = ("diverged", "collapsed")
# Judged by rank, a rate whose loss went less than this share of the farthest way has
# hardly trained: an untrained encoder's features are of high rank.
MOVED = 0.5
# Whose cost all may spend.
PAYS = "mae"
_POINT = ["dataset", "method", "tier"]


def choose(rows: pd.DataFrame) -> pd.DataFrame:
    """The learning rate of each method, by the rule that it names (``judged_by``).

    A rate is as good as its mean over seeds; one that diverged or collapsed in any of
    them loses to those that did not. Of equal rates the smaller one is chosen. Where it
    is the rank that judges, a rate loses too if its training loss went less than half
    as far as at the rate where it went farthest.

    Args:
        rows: Of the experiment ``learning_rates``.

    Returns:
        A row a (dataset, method, tier): lr, rule, the rule's value at it and at the
        runner_up (NaN where it was lost), and the number of trials.

    Raises:
        UsageError: A trial is not finished, or a rate lacks a seed that another has.
    """
    found = []
    for point, mine in over_roundings(rows).groupby(_POINT):
        dataset, method, tier = map(str, point)
        rule, values = response(mine)
        # Stable: of equal rates the smaller stays first, and what was lost comes last.
        order = (-RULES[rule][1] * values).sort_values(kind="stable").index
        best, second = [*values[order], math.nan][:2]
        trials = mine["cell"].nunique()
        found.append((dataset, method, tier, order[0], rule, best, second, trials))
    return pd.DataFrame(found, columns=list(COLUMNS[:8]))


def response(trials: pd.DataFrame) -> tuple[str, pd.Series[float]]:
    """What a method is judged by, and learning rate, from the least -> its mean value.

    Args:
        trials: Rows of one (dataset, method, tier). The value of a rate that was lost
            is NaN.

    Raises:
        UsageError: See ``choose``.
    """
    dataset, method = map(str, trials[["dataset", "method"]].iloc[0])
    rule = registry.load("methods", method).judged_by
    values = _values(trials, RULES[rule][0], f"{method} on {dataset}")
    if rule == "rank":
        values = values.where(_moved(trials).reindex(values.index, fill_value=False))
    return rule, values


def _values(trials: pd.DataFrame, number: Settings, where: str) -> pd.Series[float]:
    judging = trials["metric"].isin(["", "effective_rank", number["metric"]])
    seen = trials[judging & trials["token"].isin(["", "mean"])]
    cells = trials.pivot_table("cell", "lr", "seed", aggfunc="first")
    waiting = seen[~seen["status"].isin(FINISHED)]
    for lr, status in waiting[["lr", "status"]].to_numpy()[:1]:
        raise UsageError(f"{where}: a trial of lr {lr:g} is {status}; {_AGAIN}")
    if cells.isna().any(axis=None):
        raise UsageError(f"{where}: not every lr has the same seeds; {_AGAIN}")
    ok = matching(seen, {**number, "status": "ok"}).set_index("cell")["value"]
    lost = seen.loc[seen["status"].isin(LOST), "cell"]
    kept = ok.drop(lost, errors="ignore")
    values = cells.apply(lambda seed: seed.map(kept).astype(float))
    means: pd.Series[float] = values.mean(axis=1, skipna=False)
    return means


def _moved(trials: pd.DataFrame) -> pd.Series[bool]:
    """Learning rate -> whether the training loss went far, in the mean over seeds."""
    curves = matching(trials, {"metric": "convergence", "status": "ok"})
    at = curves.pivot_table("value", ["lr", "seed"], "target")
    at = at.reindex(columns=["half", "final", "progress"])
    # What ``convergence`` divides by.
    way = ((at["half"] - at["final"]) / at["progress"]).abs().groupby("lr").mean()
    far: pd.Series[bool] = way >= MOVED * way.max()
    return far


_AGAIN = "run mae-bench measure --experiment learning_rates"


def at_equal_cost(rows: pd.DataFrame) -> pd.DataFrame:
    """How many steps of each method cost what the training of MAE in its world does.

    Args:
        rows: Of the experiment ``learning_rates``.

    Returns:
        A row a (dataset, method, tier): flops_step and steps_at_equal_cost, at least
        1; empty where MAE was not tried.
    """
    counted = matching(rows, {"metric": "training_flops", "status": "ok"})
    table = counted.pivot_table(index=_POINT, columns="target", values="value")
    table = table.reindex(columns=["step", "run"]).reset_index()
    budget = table[table["method"] == PAYS].set_index(["dataset", "tier"])["run"]
    pays = table.join(budget.rename("pays"), on=["dataset", "tier"])["pays"]
    steps = (pays / table["step"]).round().clip(lower=1)
    found = {"flops_step": table["step"].round(), "steps_at_equal_cost": steps}
    return table[_POINT].assign(**{k: v.astype("Int64") for k, v in found.items()})


def tune(rows: pd.DataFrame) -> pd.DataFrame:
    """Both, side by side: the table that the leaderboards read.

    Raises:
        UsageError: See ``choose``.
    """
    both = choose(rows).merge(at_equal_cost(rows), on=_POINT, how="left")
    return both[[*COLUMNS]]


def at_the_ends(table: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Methods whose rate is the least or the largest tried: a better may lie beyond."""
    ends = {rows["lr"].min(), rows["lr"].max()}
    beyond = table[table["lr"].isin(ends)]
    return [f"{m} on {d}" for d, m in beyond[["dataset", "method"]].to_numpy()]


def write(table: pd.DataFrame, path: Path) -> None:
    """Put rows in the place of those of the same dataset, method and tier.

    Raises:
        StoreError: The disk does not take it; the file is whole, old or new.
    """
    whole = {"flops_step": "Int64", "steps_at_equal_cost": "Int64"}
    there = pd.read_csv(path, dtype=whole)
    rows = pd.concat([t for t in (there, table) if len(t)] or [table])
    rows = rows.drop_duplicates(_POINT, keep="last").sort_values(_POINT)
    write_table(rows, path)
