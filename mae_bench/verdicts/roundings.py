"""Would a verdict be the same on another processor? Each rounding, judged alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import Measurements
from mae_bench.records.stats import wilson
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.hearing import hear

if TYPE_CHECKING:
    from mae_bench.theories import Prediction

_DECIDED = ("supported", "refuted")


def by_rounding(
    prediction: Prediction,
    measurements: Measurements,
    seeds: Collection[int] | None = None,
    rule: Rule = ANYTIME,
) -> tuple[str, ...]:
    """What the same seeds say alone, a word a rounding; empty if there is only one.

    Args:
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.
        seeds: Those that count; all if None.
        rule: How effects are weighed.
    """
    name = prediction.experiment.id
    rows = measurements.get(name)
    if rows is None or "rounding" not in rows or not (rows["rounding"] > 0).any():
        return ()
    if seeds is not None:
        rows = rows[rows["seed"].isin(set(seeds))]
    # What does not train has nothing to round, and is the same in all.
    exact = rows.groupby("method")["rounding"].transform("max") == 0
    trained = rows[~exact]
    roundings = sorted(trained["rounding"].unique())
    if len(roundings) < 2:
        return ()
    counts = trained.groupby("seed")["rounding"].nunique()
    shared = rows["seed"].isin(counts.index[counts == len(roundings)])
    words = []
    for rounding in roundings:
        mine = rows[shared & (exact | (rows["rounding"] == rounding))]
        mine = in_order(mine.assign(rounding=0))
        hearing = hear(prediction, {**measurements, name: mine}, rule)
        words.append(
            hearing.case.claim.decided(DECISIVE) if hearing.case else "not_measured"
        )
    return tuple(words)


def kept(verdicts: pd.DataFrame) -> tuple[int, int, float, float]:
    """Of the claims that one rounding decides, those that every other decides alike.

    Args:
        verdicts: With ``by_rounding``, words apart by commas.

    Returns:
        Their number, of how many, and the interval of the share.
    """
    words = [said.split(", ") for said in verdicts["by_rounding"] if said]
    decided = [each for each in words if each[0] in _DECIDED]
    same = sum(len(set(each)) == 1 for each in decided)
    _, low, high = wilson(same, len(decided))
    return same, len(decided), low, high
