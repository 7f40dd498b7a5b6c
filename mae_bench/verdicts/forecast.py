"""How well a theory orders configurations that it has not seen trained.

Kendall's tau-b is set against chance: the same scores, dealt to the points in random
orders. The points are what was chosen, so an order is the same for all seeds, and in
all worlds for the points that they have in common. That is exact whether or not a score
and what is measured are alike from world to world. It asks whether the scores know more
than a random order would, not whether they know more than another theory that varies as
smoothly along the grid: for that they stand beside ``visible_share``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from mae_bench.records.rows import Measurements, seed_means
from mae_bench.records.schema import Setting
from mae_bench.records.stats import student_interval
from mae_bench.verdicts.evidence import applicable, select

if TYPE_CHECKING:
    from mae_bench.theories import Forecast, Theory

ORDERS = 2000
MEAN = "mean"
# Of the largest score: what is closer is the same number, computed in another order.
ROUNDING = 1e-9


class Skill(NamedTuple):
    """Kendall's tau of a forecast with what was measured, in [-1, 1].

    Args:
        skill: Mean over worlds and seeds; NaN if nothing is measured.
        low: Of its 95 % interval over seeds.
        high: Likewise.
        p_value: Share of random orders, this one among them, that do as well.
        null_low: 2.5 % of the random orders are below.
        null_high: 2.5 % of them are above.
        points: That were forecast.
        coverage: Share of the measured points that were forecast, in [0, 1].
        worlds: Mean over seeds of each world: ``digits 0.8; gaussian_tree 0.2``.
    """

    skill: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    null_low: float = math.nan
    null_high: float = math.nan
    points: int = 0
    coverage: float = math.nan
    worlds: str = ""


# World -> skill, and ``mean``, of all worlds.
Skills = Mapping[str, Skill]


class World(NamedTuple):
    """Tau in one world, a column a seed that has all points.

    Args:
        points: That were forecast.
        found: Of the forecast, in one row.
        null: Of its scores in random orders, a row each.
    """

    points: int
    found: pd.DataFrame
    null: pd.DataFrame


def forecast_skill(forecast: Forecast, measurements: Measurements) -> Skill:
    """Rank correlation over the grid: within each world, for each seed, then averaged.

    Points of which the theory says nothing are left out, and so are worlds whose
    points it does not tell apart; seeds count if they have all that is left.
    """
    return forecast_skills(forecast, measurements)[MEAN]


def forecast_skills(forecast: Forecast, measurements: Measurements) -> dict[str, Skill]:
    """World -> skill, and ``mean``: of all worlds, over the seeds that they share.

    See ``forecast_skill``.
    """
    rows = applicable(
        select(measurements, forecast.experiment, (forecast.metric,), forecast.where)
    )
    if rows.empty:
        return {MEAN: Skill()}
    factors = list(forecast.experiment.factors)
    axes = ["dataset", *factors]
    found = seed_means(rows, *axes).rename("value").reset_index()
    points = _scored(forecast, found[axes].drop_duplicates())
    # NaN is a level like others: a method without a factor leaves it empty.
    points["point"] = points.groupby(factors, dropna=False).ngroup()
    said = found.merge(points.dropna(subset="score"), on=axes)
    worlds = _worlds(said, int(points["point"].max()) + 1)
    each = {name: _skill([world]) for name, world in worlds.items()}
    kept = points["score"].notna().groupby(points["dataset"]).mean()
    named = "; ".join(
        f"{w} {s.skill:.3g}" for w, s in each.items() if not math.isnan(s.skill)
    )
    mean = _skill(list(worlds.values()))._replace(
        coverage=float(points["score"].notna().mean()), worlds=named
    )
    by_world = {w: s._replace(coverage=float(kept[w])) for w, s in each.items()}
    return {**by_world, MEAN: mean}


def _scored(forecast: Forecast, points: pd.DataFrame) -> pd.DataFrame:
    """The points with the order of their scores; NaN where a theory says nothing."""
    factors = forecast.experiment.factors

    def score(dataset: str, *point: object) -> float:
        values = zip(factors, point, strict=True)
        settings = {name: _declared(value, factors[name]) for name, value in values}
        said = forecast.score({"dataset": dataset, **settings})
        return math.nan if said is None else float(said)

    scores = [score(*point) for point in points.itertuples(index=False)]
    points = points.assign(score=scores)
    places = points.groupby("dataset")["score"].transform(_places)
    orders = places.groupby(points["dataset"]).transform("max") > 0
    return points.assign(score=places.where(orders))


def _places(scores: pd.Series[float]) -> pd.Series[float]:
    """Where each stands, from 0; what rounding alone tells apart stands alike.

    >>> _places(pd.Series([0.3, 0.1, 0.1 + 0.2])).tolist()
    [1.0, 0.0, 1.0]
    """
    rising = scores.sort_values()
    apart = rising.diff() > ROUNDING * scores.abs().max()
    places = apart.cumsum().astype(float).where(rising.notna())
    return places.reindex(scores.index)


def _declared(value: object, choices: Iterable[Setting]) -> Setting:
    """The experiment's own value of a factor: CSV columns lose its type."""
    return next((choice for choice in choices if choice == value), None)


def _worlds(said: pd.DataFrame, points: int) -> dict[str, World]:
    """Each world, with its part of the same random orders of all points."""
    places = np.random.default_rng(0).random((ORDERS, points))
    found = {}
    for name, mine in said.groupby("dataset"):
        # A pivot table would leave out a point that nowhere has a value.
        table = mine.set_index(["point", "seed"])["value"].unstack()  # noqa: PD010
        whole = table.dropna(axis=1)
        scores = mine.groupby("point")["score"].first().loc[table.index].to_numpy()
        straight = np.arange(len(table))[None]
        orders = places[:, table.index].argsort(axis=1)
        taus = (
            pd.DataFrame(tau_b(scores, whole.to_numpy(), o), columns=whole.columns)
            for o in (straight, orders)
        )
        found[str(name)] = World(len(table), *taus)
    return found


def _skill(worlds: list[World]) -> Skill:
    """The mean of some worlds, over the seeds that all of them have."""
    seeds = [set(world.found.columns) for world in worlds]
    shared = sorted(set.intersection(*seeds)) if seeds else []
    points = sum(world.points for world in worlds)
    if not shared:
        return Skill(points=points)
    found = np.mean([world.found[shared].to_numpy()[0] for world in worlds], axis=0)
    null = np.mean([world.null[shared].mean(axis=1) for world in worlds], axis=0)
    # Equal orders must not differ by a rounding error.
    reached = int((null >= found.mean() - 1e-12).sum())
    p_value = (1 + reached) / (1 + len(null))
    null_low, null_high = np.quantile(null, (0.025, 0.975)).tolist()
    return Skill(*student_interval(found), p_value, null_low, null_high, points)


def tau_b(
    scores: Float[np.ndarray, " n"],
    values: Float[np.ndarray, "n s"],
    orders: Int[np.ndarray, "o n"],
) -> Float[np.ndarray, "o s"]:
    """Kendall's tau-b of reordered scores with each column of values.

    It is Σ sign(Δ score) sign(Δ value) over the pairs of points, over the root of how
    many pairs each of them tells apart; 0 for a column that does not move.

    Args:
        scores: Of which two at least differ.
        values: Columns of numbers.
        orders: Score ``orders[i, j]`` is dealt to point j.
    """
    i, j = np.triu_indices(len(scores), 1)
    signs = np.sign(scores[:, None] - scores).astype(np.float32)
    dealt = signs[orders[:, i], orders[:, j]]
    moved = np.sign(values[i] - values[j])
    pairs = np.sqrt((dealt[0] != 0).sum() * (moved != 0).sum(0))
    found: Float[np.ndarray, "o s"] = dealt @ moved / np.maximum(pairs, 1)
    return found


def of_theories(
    theories: Mapping[str, Theory], measurements: Measurements
) -> dict[str, dict[str, Skills]]:
    """How well every forecast of every theory orders what was measured.

    Args:
        theories: By id.
        measurements: Experiment id -> its tidy rows.

    Returns:
        Theory -> experiment whose order it foretells -> skills.
    """
    return {
        name: {
            forecast.experiment.id: forecast_skills(forecast, measurements)
            for forecast in theory.forecasts
        }
        for name, theory in theories.items()
    }


def table(skills: Mapping[str, Mapping[str, Skills]]) -> pd.DataFrame:
    """A row a (forecast, world), with its ``Skill``; none of what was not measured."""
    rows = [
        (name, experiment, world, *skill)
        for name, forecasts in sorted(skills.items())
        for experiment, worlds in forecasts.items()
        for world, skill in worlds.items()
        if skill.points
    ]
    columns = ["theory", "forecast_of", "world", *Skill._fields]
    return pd.DataFrame(rows, columns=columns).drop(columns="worlds")
