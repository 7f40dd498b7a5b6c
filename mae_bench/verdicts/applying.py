"""A claim held against somebody's own rows: what it reads there, and what it lacks.

Names of ours mean ours: a row of ``ising`` is of that world, and says nothing of a
claim about another. A dataset or method of one's own, or none that is named, stands in
the place of those that the claim names. A filter whose column is not there is taken as
fulfilled where all claims about the metric ask for the same, or the claim was named;
else it has to be said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.predictions import Control
from mae_bench.records import registry
from mae_bench.records.own_rows import factors_of
from mae_bench.records.rows import Where, in_words, matching, value_in_words
from mae_bench.records.schema import Setting
from mae_bench.verdicts.compared import (
    Lacking,
    check_levels,
    columns_of,
    levels_in_words,
    refuse_none,
    said,
    sides,
)

if TYPE_CHECKING:
    from mae_bench.experiments import Experiment
    from mae_bench.theories import Forecast, Prediction, Theory

Wanted = Setting | tuple[Setting, ...]
# Stand in for a claim's where they are one's own.
PLACES = {"dataset": "datasets", "method": "methods"}
# How a number was read; of several it must be said which.
_READ_OUTS = ("view", "token", "target")
# Taken where nobody says and claims differ: how encoders are usually read.
_USUAL = {"view": "unmasked", "token": "mean"}


@dataclass(frozen=True)
class Applied:
    """A claim about somebody's own rows.

    Args:
        prediction: Its filters and control are of these rows.
        rows: Of its metrics, for the control as well.
        read: What of them is read, in words.
        assumed: What of the claim's filters nobody has said, in words.
        unknown: What cannot be known of rows from elsewhere, in words.
    """

    prediction: Prediction
    rows: pd.DataFrame
    read: str
    assumed: str
    unknown: str


class Asked:
    """What claims and forecasts ask of each metric's rows, to know what is usual."""

    def __init__(self, theories: Mapping[str, Theory]) -> None:
        """Gather it from the filters of all."""
        self._values: dict[tuple[str, str], set[Wanted]] = defaultdict(set)
        for theory in theories.values():
            claims: list[Prediction | Forecast] = [*theory.predictions.values()]
            for claim in [*claims, *theory.forecasts]:
                for column, wanted in claim.where.items():
                    self._values[claim.metric.id, column].add(wanted)

    def usual(self, metric: str, column: str, wanted: Wanted) -> bool:
        """Whether rows that do not say it may be taken to be what is wanted."""
        several = self._values[metric, column] - {wanted}
        return not several or _USUAL.get(column) == wanted


def apply(
    prediction: Prediction, rows: pd.DataFrame, asked: Asked, *, named: bool = False
) -> Applied:
    """Hold a claim against rows.

    Args:
        prediction: The claim.
        rows: See ``records.own_rows``.
        asked: What is asked of each metric.
        named: Whether it is said that the rows are what the claim speaks of.

    Raises:
        Lacking: They are not.
    """
    form, metrics = prediction.form, _metrics(prediction)
    mine = of_metrics(rows, prediction.experiment, metrics)
    compared = columns_of(form)
    for column in sorted(compared - {"dataset"}):
        if not said(mine, column):
            raise Lacking(f"column {column}", 1)
    asks = {c: w for c, w in prediction.where.items() if c not in compared}
    where, assumed = filters(mine, asks, asked, metrics, named=named)
    kept = {c: w for c, w in prediction.where.items() if c in compared}
    refuse_none(mine, {**where, **kept})
    where |= kept
    free = [column for column in PLACES if column not in compared]
    places, own = placed(mine, prediction.experiment, prediction.where, free)
    where |= places
    ours = matching(mine, where)
    refuse_none(mine, where)
    check_levels(form, ours)
    _check_read_outs(ours, compared | where.keys())
    conditions = [c for c in prediction.each if c == "dataset" or said(ours, c)]
    conditions += [c for c in own if len(places[c]) > 1]
    conditions += _conditions(ours, prediction.experiment, compared)
    same_world = "dataset" not in own
    adapted = replace(
        prediction,
        where=where,
        control=_control(prediction, where, mine),
        ceiling=_ceiling(prediction, same_world),
        each=tuple(dict.fromkeys(conditions)),
        size=prediction.size if prediction.size in conditions else None,
        converged=False,
        planted="",
    )
    return Applied(
        adapted,
        mine,
        _read(ours, where, compared, adapted.each),
        "; ".join([*assumed, *(_stands(c, prediction, places[c]) for c in own)]),
        "; ".join(_unknown(prediction, adapted)),
    )


def _metrics(prediction: Prediction) -> list[str]:
    return [m.id for m in (prediction.metric, prediction.against) if m is not None]


def of_metrics(
    rows: pd.DataFrame, experiment: Experiment, metrics: Iterable[str]
) -> pd.DataFrame:
    """Rows of some metrics that may speak of an experiment.

    Raises:
        Lacking: There are none of a metric.
    """
    mine = rows[rows["experiment"].isin([experiment.id, ""])]
    for metric in metrics:
        if metric not in set(rows["metric"]):
            raise Lacking(f"metric {metric}", 0)
        if metric not in set(mine["metric"]):
            raise Lacking(f"{metric} in the worlds of {experiment.id}", 0)
    return mine[mine["metric"].isin([*metrics])]


def filters(
    rows: pd.DataFrame,
    where: Where,
    asked: Asked,
    metrics: list[str],
    *,
    named: bool,
) -> tuple[dict[str, Wanted], list[str]]:
    """Those of a claim's filters that rows can be held against, and what is assumed.

    Raises:
        Lacking: A column that has to be there.
    """
    found: dict[str, Wanted] = {}
    assumed = []
    for column, wanted in where.items():
        if column in PLACES:
            continue
        if said(rows, column):
            found[column] = wanted
        elif named or asked.usual(metrics[0], column, wanted):
            assumed.append(f"{column} {value_in_words(wanted)}")
        else:
            words = f"column {column}, to say {value_in_words(wanted)}"
            raise Lacking(words, 2)
    return found, assumed


def placed(
    rows: pd.DataFrame, experiment: Experiment, where: Where, free: Iterable[str]
) -> tuple[dict[str, tuple[Setting, ...]], list[str]]:
    """Datasets and methods that are read, and which columns have names of one's own.

    Raises:
        Lacking: All are ours, and none is the claim's.
    """
    found: dict[str, tuple[Setting, ...]] = {}
    own = []
    for column in free:
        room, wanted = PLACES[column], _meant(column, experiment, where)
        names = set(rows[column])
        exact = names & {*(wanted if isinstance(wanted, tuple) else (wanted,))}
        chosen = exact or names - {*registry.names(room)}
        if not chosen:
            there = ", ".join(sorted(names))
            raise Lacking(f"{column} {value_in_words(wanted)} (there is {there})", 2)
        found[column] = tuple(sorted(chosen))
        own += [column] * (not exact)
    return found, own


def _meant(column: str, experiment: Experiment, where: Where) -> Wanted:
    """The datasets or methods of a claim; without a word of it, the experiment's."""
    parts = getattr(experiment, PLACES[column])
    own: Wanted = tuple(registry.id_of(part) for part in parts)
    return where.get(column, own)


def _check_read_outs(rows: pd.DataFrame, known: Iterable[str]) -> None:
    """Refuse to average over ways of reading an encoder."""
    for column in _READ_OUTS:
        there = levels_in_words(rows, column)
        if column not in {*known} and ", " in there:
            raise Lacking(f"one {column} alone (there are {there})", 3)


def _conditions(
    rows: pd.DataFrame, experiment: Experiment, compared: set[str]
) -> list[str]:
    """Factors that the claim knows nothing of: it is held against each of their levels.

    Only those that vary where all else is the same; others are another word for it.
    """
    strange = [
        c for c in factors_of(rows) if c not in experiment.factors and c not in compared
    ]
    known = [c for c in factors_of(rows) if c not in strange]
    point = ["experiment", "seed", "metric", *PLACES, *_READ_OUTS, *known]
    counts = rows.groupby(point, dropna=False)[strange].nunique(dropna=False)
    return [column for column in strange if (counts[column] > 1).any()]


def _control(prediction: Prediction, where: Where, rows: pd.DataFrame) -> Control:
    """The claim's control, if these rows have it."""
    given = prediction.control
    if given.absent:
        return given
    there = {**where, **given.where}
    form = given.form or prediction.form
    needed = {*given.where, *columns_of(form)} - {"dataset"}
    if all(said(rows, column) for column in needed):
        ours = matching(rows, there)
        if all(len(matching(ours, side)) for side in [{}, *sides(form)]):
            return given
    lacks = in_words(given.where) if given.where else f"rows of {form.quantity}"
    return Control(reason=f"these rows have none; it would be {lacks}")


def _ceiling(
    prediction: Prediction, same_world: bool
) -> float | Mapping[str, Wanted] | None:
    """What the metric can be at best, if it is the same in this world."""
    ceiling = prediction.ceiling
    return ceiling if same_world or ceiling == prediction.metric.upper else None


def _read(
    rows: pd.DataFrame, where: Where, compared: set[str], each: tuple[str, ...]
) -> str:
    """Which rows those are, and what they are compared along, in words."""
    named = {c: w for c, w in where.items() if c not in PLACES or w != ("",)}
    along = [f"{c} {levels_in_words(rows, c)}" for c in sorted(compared - {*where})]
    filtered = [in_words(named)] if named else []
    apart = [f"at each {' and '.join(each)}"] if each else []
    return f"{len(rows)} rows: {'; '.join([*along, *filtered, *apart])}"


def _stands(column: str, prediction: Prediction, names: tuple[Setting, ...]) -> str:
    """Whose place one's own names take, in words."""
    mine = value_in_words(names) if names != ("",) else "yours"
    place = value_in_words(_meant(column, prediction.experiment, prediction.where))
    return f"{column} {mine} in place of {place}"


def _unknown(prediction: Prediction, adapted: Prediction) -> Iterable[str]:
    if prediction.converged:
        yield "whether trainings have converged"
    if prediction.ceiling is not None and adapted.ceiling is None:
        yield "headroom below the ceiling"
