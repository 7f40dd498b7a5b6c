"""How well regressions over commits are found, and how often where there are none.

``python -m benchmarks.detection`` writes ``results/detection.csv``: 50 commits of five
seeds, drawn a thousand times for each kind of history, looked at by the steps of
``mae-bench history``, by asv's own detection with the threshold of ``asv.conf.json``,
and by a paired t test (5 %, one-sided) of each commit and the one before.

What is planted: nothing; a loss of 0.5, 1 or 2 standard deviations of a seed, anywhere
from the second commit to the last; a drift of 2 from the first commit to the last; an
outlier of 4 that the next commit mends. ``quiet`` is the share of commits that move no
number at all. A loss is found if it lies in the range of commits that a step to the
worse names: its 95 % of ``mae-bench history``, three commits to either side of what the
others say. A drift is found by any; every other step to the worse is a false alarm.
``width`` is the mean number of commits in a range; precision is the share of steps that
are true, and the same beside as many histories in which nothing was planted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mae_bench.commits.steps import steps
from mae_bench.records.rows import write_table
from mae_bench.records.stats import wilson

COMMITS, SEEDS, NEAR = 50, 5, 3
# Errors of a kind that asv can compare by ratio: a tenth is a seed's deviation.
MEAN, SPREAD = 1.0, 0.1
ASV_THRESHOLD = json.loads(
    (Path(__file__).parents[1] / "asv.conf.json").read_text(encoding="utf-8")
)["regressions_thresholds"]["quality\\..*"]

Table = NDArray[np.float64]
# First and last commit from which on it may be worse.
Range = tuple[int, int]
Detector = Callable[[Table], Sequence[Range]]


@dataclass(frozen=True)
class Planted:
    """A kind of history.

    Args:
        kind: ``none``, ``loss``, ``drift`` or ``outlier``.
        size: In standard deviations of a seed.
        quiet: Share of commits that move no number.
    """

    kind: str
    size: float
    quiet: float


KINDS = [
    Planted(kind, size, quiet)
    for quiet in (0.0, 0.5)
    for kind, size in (
        ("none", 0.0),
        ("loss", 0.5),
        ("loss", 1.0),
        ("loss", 2.0),
        ("drift", 2.0),
        ("outlier", 4.0),
    )
]


def history(planted: Planted, rng: np.random.Generator) -> tuple[Table, int]:
    """Errors ``[commits, seeds]``, and the commit at which something was planted."""
    last = COMMITS - 1 if planted.kind == "outlier" else COMMITS
    at = int(rng.integers(1, last))
    level = np.zeros(COMMITS)
    if planted.kind == "loss":
        level[at:] = planted.size
    elif planted.kind == "outlier":
        level[at] = planted.size
    elif planted.kind == "drift":
        level = np.linspace(0, planted.size, COMMITS)
    moved = rng.random(COMMITS) >= planted.quiet
    moved[0] = True
    moved |= np.diff(level, prepend=0.0) != 0
    drawn = np.maximum.accumulate(np.where(moved, np.arange(COMMITS), 0))
    noise = rng.normal(size=(COMMITS, SEEDS))[drawn]
    seeds = 2 * rng.normal(size=SEEDS)
    return MEAN + SPREAD * (seeds + noise + level[:, None]), at


def ours(errors: Table) -> list[Range]:
    """The steps of ``mae-bench history``."""
    return [(at.earliest, at.latest) for at in steps(errors) if at.change > 0]


def asvs(errors: Table) -> list[Range]:
    """What asv lists as regressions of the means."""
    from asv.step_detect import detect_regressions, detect_steps

    found = detect_steps(list(errors.mean(axis=1)))
    _, _, places = detect_regressions(found, threshold=ASV_THRESHOLD)
    return [(after - NEAR, after + NEAR) for _, after, *_ in places or []]


def t_test(errors: Table) -> list[Range]:
    """A paired t test of each commit and the one before."""
    before, after = errors[:-1], errors[1:]
    moved = np.flatnonzero((after != before).any(axis=1))
    p = stats.ttest_rel(
        after[moved], before[moved], axis=1, alternative="greater"
    ).pvalue
    return [(int(i) + 1 - NEAR, int(i) + 1 + NEAR) for i in moved[p < 0.05]]


DETECTORS: dict[str, Detector] = {"steps": ours, "asv": asvs, "t_test": t_test}


def _true(planted: Planted, at: int, ends: Range) -> bool:
    return planted.kind == "drift" or (
        planted.kind == "loss" and ends[0] <= at <= ends[1]
    )


def scores(planted: Planted, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A row a detector: what of n histories was found, and how many false alarms."""
    hits, alarms = dict.fromkeys(DETECTORS, 0), dict.fromkeys(DETECTORS, 0)
    widths: dict[str, list[int]] = {name: [] for name in DETECTORS}
    for _ in range(n):
        errors, at = history(planted, rng)
        for name, detect in DETECTORS.items():
            told = detect(errors)
            true = [ends for ends in told if _true(planted, at, ends)]
            hits[name] += bool(true)
            alarms[name] += len(told) - len(true)
            widths[name] += [last - first + 1 for first, last in told]
    lines = []
    for name in DETECTORS:
        there = planted.kind in ("loss", "drift")
        share = wilson(hits[name], n) if there else (np.nan,) * 3
        line = [planted.kind, planted.size, planted.quiet, name, n, *share]
        width = np.mean(widths[name]) if widths[name] else np.nan
        lines.append([*line, alarms[name] / n, width, hits[name]])
    head = ["planted", "size", "quiet", "detector", "histories"]
    recall = ["recall", "recall_low", "recall_high"]
    return pd.DataFrame(
        lines, columns=[*head, *recall, "false_alarms", "width", "hits"]
    )


def precision(found: pd.DataFrame) -> pd.DataFrame:
    """With the share of steps that are true: alone, and beside as many without any."""
    null = found[found["planted"] == "none"].set_index(["quiet", "detector"])
    beside = [
        null.loc[(at["quiet"], at["detector"]), "false_alarms"]
        for _, at in found.iterrows()
    ]
    share = found["hits"] / found["histories"]
    told = share + found["false_alarms"]
    there = found["recall"].notna()
    table = found.assign(
        precision=(share / told).where(there),
        precision_beside_none=(share / (told + beside)).where(there),
    )
    return table.drop(columns="hits")


def main(arguments: list[str] | None = None) -> None:
    """Draw, look and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--histories", type=int, default=1000)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    found = [scores(planted, asked.histories, rng) for planted in KINDS]
    whole = precision(pd.concat(found, ignore_index=True))
    write_table(whole, asked.results / "detection.csv")
    print(whole.round(3).to_string(index=False))  # noqa: T201 (a script says what it found)


if __name__ == "__main__":
    main()
