"""Numbers that others published beside ours: by their protocol, and by ours.

Theirs is, as a rule, the best of all epochs on the test images, of one run. Ours is the
end of training, looked at once, of several seeds; of the same rows the best checkpoint
is told as well, for the difference is a result of its own.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mae_bench.experiments._published import Published
from mae_bench.records import registry
from mae_bench.records.read import read_rows

NOT_RUN = "not run"


def lines(name: str, results: Path) -> list[str]:
    """A line a published number of an experiment, with what we have.

    Args:
        name: Of the experiment, whose cells stop at several shares of the training.
        results: Folder of rows of tier ``paper``.
    """
    path = results / "measurements" / f"{name}.csv"
    rows = read_rows(path) if path.exists() else pd.DataFrame()
    experiment = registry.load("experiments", name)
    return [f"{number}; ours: {ours(number, rows)}" for number in experiment.published]


def ours(number: Published, rows: pd.DataFrame) -> str:
    """What we have in the place of a number.

    Args:
        number: The published one.
        rows: Of its experiment, of any tier; those of ``paper`` count.
    """
    if not number.metric:
        return "no instrument of ours does this"
    if not len(rows):
        return NOT_RUN
    mine = rows[
        (rows["tier"] == "paper")
        & (rows["status"] == "ok")
        & (rows["method"] == number.method)
        & (rows["metric"] == number.metric)
        & (rows["target"].fillna("") == number.target)
        & rows["token"].isin(["mean"])
        & (rows["view"] == "unmasked")
    ]
    end = mine[mine["stop"].astype(float) == 1.0]
    if not len(end):
        return NOT_RUN
    best = mine.groupby("seed")["value"].max()
    last = end.groupby("seed")["value"].mean()
    seeds = f"{len(last)} seed{'s' * (len(last) > 1)}"
    spread = f" ± {last.std():.3f}" if len(last) > 1 else ""
    by = f"{number.metric} {number.target}".strip()
    return (
        f"{last.mean():.3f}{spread} at the end, {best.mean():.3f} at the best of "
        f"{mine['stop'].nunique()} checkpoints ({by}, {seeds})"
    )
