"""Which theory's forecast orders somebody's own configurations best?

Forecasts are numbers of the suite's images, 8 pixels wide, at the points of a declared
grid. Rows that have all of its factors are ordered; of the others it is said what they
lack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import matching, value_in_words
from mae_bench.verdicts.applying import Asked, filters, of_metrics, placed
from mae_bench.verdicts.compared import Lacking, said
from mae_bench.verdicts.forecast import Skill, forecast_skill

if TYPE_CHECKING:
    from mae_bench.theories import Forecast, Theory

LEAST = 3  # two points are in order half of the time
COLUMNS = ("theory", "forecast_of", "metric", *Skill._fields, "formula", "missing")


def judge_own_forecasts(
    theories: Mapping[str, Theory], rows: pd.DataFrame, asked: Asked
) -> pd.DataFrame:
    """Every forecast's skill on somebody's rows, the best first.

    Args:
        theories: By id.
        rows: See ``records.own_rows``, in order.
        asked: What is asked of each metric.

    Returns:
        A row a forecast, with its ``Skill``; or what is ``missing``.
    """
    found = []
    for name, theory in theories.items():
        for forecast in theory.forecasts:
            skill, missing = Skill(), ""
            try:
                skill = _skill(forecast, rows, asked)
            except Lacking as lack:
                missing = str(lack)
            head = (name, forecast.experiment.id, forecast.metric.id)
            found.append((*head, *skill, forecast.reason, missing))
    table = pd.DataFrame(found, columns=list(COLUMNS))
    return table.sort_values("skill", ascending=False, ignore_index=True)


def _skill(forecast: Forecast, rows: pd.DataFrame, asked: Asked) -> Skill:
    """Of one forecast.

    Raises:
        Lacking: The rows are not of its grid.
    """
    experiment, metric = forecast.experiment, forecast.metric.id
    columns = [f for f in experiment.factors if not said(rows, f)]
    if columns:
        words = f"column{'s' * (len(columns) > 1)} {', '.join(columns)}"
        raise Lacking(f"{words}, of one value where all have the same", 1)
    mine = of_metrics(rows, experiment, [metric])
    kept, _ = filters(mine, forecast.where, asked, [metric], named=False)
    places, _ = placed(mine, experiment, forecast.where, ["dataset", "method"])
    if len(places["method"]) > 1:
        names = value_in_words(places["method"])
        raise Lacking(f"one method alone (there are {names})", 3)
    where = {**kept, **places}
    ours = matching(mine, where)
    on_grid = pd.Series(True, index=ours.index)
    for factor, levels in experiment.factors.items():
        on_grid &= ours[factor].isin([*levels])
    ours = ours[on_grid]
    points = ours[["dataset", *experiment.factors]].drop_duplicates()
    if len(points) < LEAST:
        raise Lacking(f"{LEAST} points of its grid (there are {len(points)})", 3)
    skill = forecast_skill(replace(forecast, where=where), {experiment.id: ours})
    if not skill.points:
        raise Lacking("points that it tells apart, in a world that it knows", 3)
    return skill
