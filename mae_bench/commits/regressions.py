"""What became worse or better over the commits of a history, number by number.

Every error of every commit is a series of its own; ``steps`` says where one moved for
good. Over the n series that move at all, each is looked at with α / n, so that the
probability of any false ``worse`` in a whole history is 5 % at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mae_bench.commits.errors import Errors, Point
from mae_bench.commits.steps import ALPHA, LEAST_COMMITS, states, steps


@dataclass(frozen=True)
class Moved:
    """A number that moved for good.

    Args:
        verdict: ``worse``, ``better``; in brackets while the newest commit alone says
            so, which may yet be a spike.
        number: What moved: dataset, method and headline, or theory.
        before: Last commit of the old level, 12 digits.
        since: First commit of the new one, as it seems.
        earliest: Of the commits that could be it, 95 % together.
        latest: The last of these.
        a: Mean error of the last commit before.
        change: Of the mean error between the levels.
        low: Lower end of its 95 % interval, at this place.
        high: Upper end.
    """

    verdict: str
    number: str
    before: str
    since: str
    earliest: str
    latest: str
    a: float
    change: float
    low: float
    high: float


def regressions(found: Sequence[tuple[str, Errors]]) -> pd.DataFrame:
    """The steps of all series.

    Args:
        found: Hash and errors of each commit, oldest first; a commit at which a seed
            failed is no part of that series.

    Returns:
        Columns of ``Moved``, what is worse first, the largest change first.
    """
    known = _series(found)
    moving = {point: one for point, one in known.items() if len(states(one.errors)) > 1}
    lines = []
    for point, one in moving.items():
        for step in steps(one.errors, ALPHA / len(moving)):
            word = "worse" if step.change > 0 else "better"
            lines.append(
                Moved(
                    verdict=word if step.settled else f"({word})",
                    number=" ".join(point),
                    before=one.commits[step.before][:12],
                    since=one.commits[step.after][:12],
                    earliest=one.commits[step.earliest][:12],
                    latest=one.commits[step.latest][:12],
                    a=float(one.errors[step.before].mean()),
                    change=step.change,
                    low=step.low,
                    high=step.high,
                )
            )
    columns = [field.name for field in fields(Moved)]
    frame = pd.DataFrame([asdict(line) for line in lines], columns=columns)
    better = frame["verdict"].str.contains("better")
    order = frame.assign(_better=better, _far=-frame["change"].astype(float).abs())
    order = order.sort_values(["_better", "_far", "number"], ignore_index=True)
    return order.drop(columns=["_better", "_far"])


@dataclass(frozen=True)
class _Series:
    commits: list[str]
    errors: NDArray[np.float64]


def _series(found: Sequence[tuple[str, Errors]]) -> dict[Point, _Series]:
    """Those of enough commits that have every seed of the newest."""
    points = dict.fromkeys(point for _, errors in found for point in errors)
    series = {}
    for point in points:
        rows = [(sha, row) for sha, of in found if (row := of.get(point)) is not None]
        alike = [(sha, row) for sha, row in rows if len(row) == len(rows[-1][1])]
        if len(alike) >= LEAST_COMMITS:
            shas, table = zip(*alike, strict=True)
            series[point] = _Series(list(shas), np.array(table))
    return series
