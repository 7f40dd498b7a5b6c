"""Whether rows are what the same cells give when they are run again.

On the processor and with the libraries of the rows, by what the rows say of them, each
number is to be the same in every digit of the file.

Elsewhere sums are rounded otherwise, and a training carries that on. It is assumed, and
not measured, that this moves a number by no more than another seed would. So the spread
over seeds is the measure: of a metric, a target and a world, the standard deviation at
one point of the factors, pooled over all points of the folder but for the cells that
are tried, and never less than one image, a thousandth of the number, or the last digit.
Numbers differ that are more than ``LIMIT`` of it apart. ``LIMIT`` was chosen on the
published rows, after other poolings and limits were tried there: with one other seed in
the place of the second run 0.1 % of 1,941 cells had such a number, or 2 % of samples of
20 if cells are independent. There a cell counted in its own spread, which it does not
here, so the level of this one-sided test is somewhat above that. What it sees is gross;
a forged number that a seed could have given is seen on the same processor alone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from mae_bench.records.rows import COLUMNS, Measurements
from mae_bench.records.schema import FINISHED

LIMIT = 15.0
_SERIES = ["dataset", "metric", "view", "target"]
_SAID = ("value", "status", "reason", "n_eval", "metric_version")
_NOTED = ("train_seconds", "commit", "dirty", "versions", "device")
_GROUP = ["cell", "metric", "view"]
_TOLD = ["metric", "view", "token", "target"]
# Of a number, a thousandth; and the last digit of a file.
_SHARE, _DIGIT = 1e-3, 1e-6
SHOWN = ("experiment", "cell", *_SERIES, "token")
_FOUND = ("spread", "apart", "says")


def compared(
    theirs: Measurements, ours: Measurements, *, exact: bool = False
) -> pd.DataFrame:
    """Each number of the cells that were run again, beside what it was.

    Args:
        theirs: Experiment id -> its tidy rows, of a whole folder.
        ours: The same of the cells that were run again.
        exact: Whether both are of one processor and its libraries, whatever they say.

    Returns:
        Columns ``SHOWN``; ``theirs`` and ``ours``, numbers, or words where there is
        none; ``spread``, NaN where no other seed tells it; ``apart``, in spreads,
        infinite where a number and a word differ, or one is lacking; and ``says``:
        same, rounding, differs or unknown.
    """
    tables = [
        _beside(rows, ours[name]) for name, rows in theirs.items() if name in ours
    ]
    if not tables:
        return pd.DataFrame(columns=[*SHOWN, "theirs", "ours", *_FOUND])
    table = pd.concat(tables, ignore_index=True)
    known = spreads(theirs, set(table["cell"]))
    table = table.merge(known, on=_SERIES, how="left")
    numbers = table[["theirs", "ours"]].apply(pd.to_numeric, errors="coerce")
    floor = np.maximum(_SHARE * numbers["theirs"].abs(), _DIGIT)
    floor = np.maximum(floor, np.where(table["n_eval"] > 0, 1 / table["n_eval"], 0))
    moved = (numbers["theirs"] - numbers["ours"]).abs()
    same = (table["theirs"] == table["ours"]) | (moved == 0)
    measure = np.maximum(table["spread"], floor)
    table["apart"] = (moved / measure).mask(moved.isna(), np.inf).mask(same, 0.0)
    says = np.select(
        [
            same,
            exact | table["exact"] | moved.isna() | (table["apart"] > LIMIT),
            table["spread"].isna(),
        ],
        ["same", "differs", "unknown"],
        "rounding",
    )
    return table.assign(says=says)[[*SHOWN, "theirs", "ours", *_FOUND]]


def spreads(measurements: Measurements, apart: Collection[str]) -> pd.DataFrame:
    """The standard deviation over seeds of each metric, target and world.

    Args:
        measurements: Experiment id -> its tidy rows.
        apart: Keys of cells that do not count.

    Returns:
        Columns dataset, metric, view, target and ``spread``.
    """
    found = []
    for rows in measurements.values():
        rows = rows[(rows["status"] == "ok") & ~rows["cell"].isin(apart)]
        factors = [c for c in rows if c not in COLUMNS]
        points = rows.groupby([*_SERIES, "method", "token", *factors], dropna=False)
        each = points["value"].agg(["var", "size"]).reset_index()
        found.append(each[each["size"] > 1])
    every = pd.concat(found)
    every["free"] = every["size"] - 1
    every["square"] = every["var"] * every["free"]
    sums = every.groupby(_SERIES)[["square", "free"]].sum()
    spread = (sums["square"] / sums["free"]) ** 0.5
    return spread.rename("spread").reset_index()


def _beside(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Rows of one experiment that speak of the same, side by side.

    A metric may tell more than it did: what no cell of the file has, none lacks.
    """
    told = pd.MultiIndex.from_frame(theirs[_TOLD])
    failed = ours["metric"] == ""
    ours = ours[failed | pd.MultiIndex.from_frame(ours[_TOLD]).isin(told)]
    theirs = theirs[theirs["cell"].isin(ours["cell"])]
    here = pd.MultiIndex.from_frame(ours[_GROUP])
    there = pd.MultiIndex.from_frame(theirs[_GROUP])
    # What was not measured then, or did not end then, is not compared.
    ended = theirs["status"].isin(FINISHED) & (there.isin(here) | _whole(theirs, ours))
    ours = ours[here.isin(there[ended]) | (ours["metric"] == "")]
    names = [c for c in map(str, theirs) if c not in (*_SAID, *_NOTED)]
    left, right = (_worded(rows, names) for rows in (theirs[ended], ours))
    both = left.merge(right, on=names, how="outer", suffixes=("", "_ours"))
    lacking = {"theirs": "lacking", "ours": "lacking"}
    both = both.rename(columns={"said": "theirs", "said_ours": "ours"}).fillna(lacking)
    exact = [(both[c] == both[f"{c}_ours"]) for c in ("versions", "device")]
    return both.assign(exact=exact[0] & exact[1])


def _whole(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.Series[bool]:
    """Rows of cells of which one side says nothing but how they failed."""
    failed = set(ours.loc[ours["metric"] == "", "cell"])
    return (theirs["metric"] == "") | theirs["cell"].isin(failed)


def _worded(rows: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """Rows whose names are words, whatever else their column holds."""
    words = rows[[*names]].map(
        lambda v: f"{v:g}" if isinstance(v, int | float) and v == v else str(v)
    )
    plain = words.mask(rows[[*names]].isna(), "")
    said = rows["value"].astype(object).where(rows["status"] == "ok", rows["status"])
    return plain.assign(said=said, **{c: rows[c] for c in (*_NOTED[-2:], "n_eval")})
