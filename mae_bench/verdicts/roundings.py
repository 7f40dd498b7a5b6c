"""Would a verdict be the same on another processor? Each rounding, judged alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import Measurements
from mae_bench.records.stats import wilson
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule
from mae_bench.verdicts.cuts import Cuts
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.hearing import hear

if TYPE_CHECKING:
    from mae_bench.theories import Prediction

_DECIDED = ("supported", "refuted")


class Roundings:
    """Rows of experiments, apart by how the first weights of a training were rounded.

    Args:
        measurements: Experiment id -> its tidy rows, of all roundings.
    """

    def __init__(self, measurements: Measurements) -> None:
        """Keep the rows; nothing is cut yet."""
        rounded = {
            name: rows
            for name, rows in measurements.items()
            if "rounding" in rows and (rows["rounding"] > 0).any()
        }
        self._raw = rounded
        self._of: dict[tuple[str, frozenset[int]], list[Cuts]] = {}

    def seeds(self, experiment: str) -> set[int]:
        """Of an experiment that was run under several roundings."""
        there = (
            self._raw[experiment]["seed"].unique() if experiment in self._raw else ()
        )
        return set(map(int, there))

    def each(self, experiment: str, seeds: Collection[int]) -> list[Cuts]:
        """The experiment's rows of each rounding, as ``hear`` wants them.

        Args:
            experiment: Id.
            seeds: Those that count.

        Returns:
            None of what has a single rounding.
        """
        at = experiment, frozenset(seeds)
        if at not in self._of:
            self._of[at] = [
                Cuts({experiment: in_order(rows)}) for rows in self._apart(*at)
            ]
        return self._of[at]

    def _apart(self, experiment: str, seeds: frozenset[int]) -> list[pd.DataFrame]:
        if experiment not in self._raw:
            return []
        rows = self._raw[experiment]
        rows = rows[rows["seed"].isin(seeds)]
        # What does not train has nothing to round, and is the same in all.
        most = rows.groupby("method", observed=True)["rounding"].transform("max")
        exact, trained = most == 0, rows[most > 0]
        roundings = sorted(trained["rounding"].unique())
        if len(roundings) < 2:
            return []
        counts = trained.groupby("seed")["rounding"].nunique()
        shared = rows["seed"].isin(counts.index[counts == len(roundings)])
        of = (shared & (exact | (rows["rounding"] == one)) for one in roundings)
        return [rows[mine].assign(rounding=0) for mine in of]


def by_rounding(
    prediction: Prediction,
    roundings: Roundings,
    seeds: Collection[int],
    rule: Rule = ANYTIME,
) -> tuple[str, ...]:
    """What the same seeds say alone, a word a rounding; empty if there is only one.

    Args:
        prediction: The claim.
        roundings: Its rows.
        seeds: Those that count.
        rule: How effects are weighed.
    """
    heard = (
        hear(prediction, cuts, rule)
        for cuts in roundings.each(prediction.experiment.id, seeds)
    )
    return tuple(
        hearing.case.claim.decided(DECISIVE) if hearing.case else "not_measured"
        for hearing in heard
    )


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
