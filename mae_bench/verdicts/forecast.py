"""How well a theory orders configurations that it has not seen trained."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from mae_bench.records.rows import Measurements, seed_means
from mae_bench.records.schema import Setting
from mae_bench.records.stats import kendall_tau, student_interval
from mae_bench.verdicts.evidence import applicable, select

if TYPE_CHECKING:
    from mae_bench.theories import Forecast


class Skill(NamedTuple):
    """Kendall's tau of a forecast with what was measured, in [-1, 1].

    Args:
        skill: Mean over worlds and seeds; NaN if nothing is measured.
        low: Of its 95 % interval over seeds.
        high: Likewise.
        worlds: Mean over seeds of each world: ``digits 0.8; gaussian_tree 0.2``.
        coverage: Share of the measured points that were forecast, in [0, 1].
    """

    skill: float = math.nan
    low: float = math.nan
    high: float = math.nan
    worlds: str = ""
    coverage: float = math.nan


def forecast_skill(forecast: Forecast, measurements: Measurements) -> Skill:
    """Rank correlation over the grid: within each world, for each seed, then averaged.

    Points of which the theory says nothing are left out, and so are worlds whose
    points it does not tell apart; seeds count if they have all that is left.
    """
    rows = applicable(
        select(measurements, forecast.experiment, (forecast.metric,), forecast.where)
    )
    if rows.empty:
        return Skill()
    axes = ["dataset", *forecast.experiment.factors]
    found = seed_means(rows, *axes).rename("value").reset_index()
    points = _scored(forecast, found[axes].drop_duplicates())
    # NaN is a level like others: a method without a factor leaves it empty.
    said = found.merge(points.dropna(subset="score"), on=axes)
    taus = pd.DataFrame(
        {world: _taus(mine) for world, mine in said.groupby("dataset")}, dtype=float
    )
    worlds = "; ".join(f"{w} {tau:.3g}" for w, tau in taus.mean().dropna().items())
    kept = float(points["score"].notna().mean())
    return Skill(*student_interval(taus.dropna().mean(axis=1)), worlds, kept)


def _scored(forecast: Forecast, points: pd.DataFrame) -> pd.DataFrame:
    """The points with their scores; NaN where a theory says nothing."""
    factors = forecast.experiment.factors

    def score(dataset: str, *point: object) -> float:
        values = zip(factors, point, strict=True)
        settings = {name: _declared(value, factors[name]) for name, value in values}
        said = forecast.score({"dataset": dataset, **settings})
        return math.nan if said is None else float(said)

    scores = [score(*point) for point in points.itertuples(index=False)]
    points = points.assign(score=scores)
    orders = points.groupby("dataset")["score"].transform("nunique") > 1
    return points.assign(score=points["score"].where(orders))


def _declared(value: object, choices: Iterable[Setting]) -> Setting:
    """The experiment's own value of a factor: CSV columns lose its type."""
    return next((choice for choice in choices if choice == value), None)


def _taus(world: pd.DataFrame) -> pd.Series:
    """Tau of each seed that has all points of a world."""
    due = world.groupby("seed").size().max()
    return pd.Series(
        {
            seed: kendall_tau(mine["score"], mine["value"])
            for seed, mine in world.groupby("seed")
            if mine["value"].count() == due
        },
        dtype=float,
    )
