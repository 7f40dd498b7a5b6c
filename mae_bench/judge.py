"""Theories x measurements -> verdicts, and how each theory fared.

A prediction is supported if its interval over seeds lies above its margin, refuted if
it lies below, undecided otherwise or with fewer than three seeds; void if its control,
where the claim must not hold, is supported as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench import registry
from mae_bench.rows import (
    COLUMNS,
    Measurements,
    Where,
    matching,
    seed_means,
    shuffled,
    write_table,
)
from mae_bench.schema import Setting, TheoryScore, UsageError, Verdict
from mae_bench.stats import (
    holm,
    kendall_tau,
    minimum_detectable_effect,
    p_value,
    student_interval,
    wilson,
)

if TYPE_CHECKING:
    from mae_bench.experiments import Experiment
    from mae_bench.theories import Forecast, Prediction, Theory

ENOUGH_SEEDS = 3
Decision = Literal["supported", "refuted", "undecided"]


@cache
def _registered() -> tuple[tuple[str, Experiment], ...]:
    """Every experiment with its id; the registry looks at the disk each time."""
    return tuple(
        (name, registry.load("experiments", name))
        for name in registry.names("experiments")
    )


def experiment_id(experiment: Experiment) -> str:
    """The id of a registered experiment, which does not know its own name.

    Raises:
        ValueError: It is not in the folder of experiments.
    """
    for name, known in _registered():
        if known is experiment:
            return name
    raise ValueError(
        f"the experiment that asks {experiment.question!r} is not registered; "
        "give it a file in experiments/"
    )


def select(
    measurements: Measurements, prediction: Prediction | Forecast, where: Where
) -> pd.DataFrame:
    """The rows that a prediction speaks of, failures with a NaN value.

    Args:
        measurements: Experiment id -> its tidy rows.
        prediction: Names the experiment and the metric.
        where: Row filters.

    Returns:
        Sorted, so that nothing depends on the order of the file.

    Raises:
        ValueError: An unknown column, or rows of several tiers.
    """
    name, metric = experiment_id(prediction.experiment), prediction.metric.id
    if name not in measurements:
        return pd.DataFrame(columns=list(COLUMNS))
    # A cell that failed as a whole has one row, without a metric.
    rows = matching(measurements[name], {"metric": (metric, ""), **where})
    tiers = sorted(rows["tier"].unique())
    if len(tiers) > 1:
        raise UsageError(f"{name} mixes tiers {', '.join(tiers)}; judge one at a time")
    value = rows["value"].astype(float).where(rows["status"] == "ok")
    return rows.assign(value=value).sort_values(list(rows.columns), ignore_index=True)


def _applicable(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the rows that say that the metric is not for this method or dataset."""
    return rows[rows["status"] != "skipped"]


def _coverage(rows: pd.DataFrame) -> float:
    """Share of the cells whose every row has a value; 0 without cells."""
    if rows.empty:
        return 0.0
    return float(rows["value"].notna().groupby(rows["cell"]).all().mean())


def decide(effects: npt.ArrayLike, margin: float) -> Decision:
    """Where the interval of the effects lies from the margin.

    >>> decide([1.0, 1.1, 0.9], 0.5), decide([1.0, 1.1], 0.5)
    ('supported', 'undecided')
    """
    _, low, high = student_interval(effects)
    if np.size(effects) < ENOUGH_SEEDS:
        return "undecided"
    if low > margin:
        return "supported"
    return "refuted" if high < margin else "undecided"


def _control_verdict(
    key: str, prediction: Prediction, measurements: Measurements
) -> Literal["supported", "refuted", "undecided", "not_measured"]:
    control = prediction.control
    if not control.where and control.shuffle is None:
        raise ValueError(f"the control of {key} is its own data; say where or shuffle")
    where = {**prediction.where, **control.where}
    rows = _applicable(select(measurements, prediction, where))
    if rows["value"].notna().sum() == 0:
        return "not_measured"
    if control.shuffle is not None:
        rows = shuffled(rows, control.shuffle, key)
    return decide(prediction.form.effects(rows), prediction.form.margin)


def judge_prediction(
    key: str, theory_id: str, prediction: Prediction, measurements: Measurements
) -> Verdict:
    """What the measurements say of one prediction.

    Args:
        key: Its id, e.g. ``hierarchical_latents/K4``; seeds its control's shuffle.
        theory_id: Whose it is.
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.

    Returns:
        Without ``p_holm``, which takes the theory's other predictions.

    Raises:
        ValueError: The claim names an unknown column, or its control is no control.
    """
    rows = select(measurements, prediction, prediction.where)
    form = prediction.form
    control = _control_verdict(key, prediction, measurements)
    measured = bool(rows["value"].notna().any())
    # Without any value a form has nothing to look at.
    effects = form.effects(_applicable(rows)) if measured else pd.Series(dtype=float)
    estimate, low, high = student_interval(effects)
    decision = decide(effects, form.margin) if measured else "not_measured"
    void = decision == control == "supported"
    return Verdict(
        prediction=key,
        theory=theory_id,
        standing=prediction.standing,
        verdict="void" if void else decision,
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        margin=form.margin,
        n_seeds=len(effects),
        p_value=p_value(effects, form.margin),
        p_holm=math.nan,
        control_verdict=control,
        minimum_detectable_effect=minimum_detectable_effect(effects),
        coverage=_coverage(rows),
        version=prediction.version,
    )


def _declared(value: object, choices: Iterable[Setting]) -> Setting:
    """The experiment's own value of a factor: CSV columns lose its type."""
    return next((choice for choice in choices if choice == value), None)


def forecast_skill(
    forecast: Forecast, measurements: Measurements
) -> tuple[float, float, float]:
    """Kendall's tau of the forecast with what was measured, over the grid.

    Returns:
        Mean over the seeds that have the whole grid, in [-1, 1], with its interval.
        NaN if nothing is measured.
    """
    rows = _applicable(select(measurements, forecast, forecast.where))
    if rows.empty:
        return math.nan, math.nan, math.nan
    factors = forecast.experiment.factors
    found = seed_means(rows, *factors).rename("value").reset_index()

    def score(point: pd.Series) -> float:
        return float(
            forecast.score({f: _declared(point[f], factors[f]) for f in factors})
        )

    points = found[list(factors)].drop_duplicates()
    taus = []
    for _, seed in found.groupby("seed"):
        if len(seed) == len(points) and seed["value"].notna().all():
            scores = [score(point) for _, point in seed.iterrows()]
            taus.append(kendall_tau(scores, seed["value"]))
    return student_interval([tau for tau in taus if not math.isnan(tau)])


def _share(verdicts: Iterable[Verdict]) -> tuple[float, float, float]:
    """Share of the decided that were supported, with its interval."""
    counts = Counter(v.verdict for v in verdicts)
    return wilson(counts["supported"], counts["supported"] + counts["refuted"])


def _theory_score(
    name: str, theory: Theory, verdicts: list[Verdict], measurements: Measurements
) -> TheoryScore:
    """Count; what is derived from a theorem counts with the theorems."""
    counts = Counter(v.verdict for v in verdicts)
    skill = (math.nan, math.nan, math.nan)
    if theory.forecast is not None:
        skill = forecast_skill(theory.forecast, measurements)
    loose = [v for v in verdicts if v.standing == "extrapolation"]
    strict = [v for v in verdicts if v.standing != "extrapolation"]
    return TheoryScore(
        name,
        len(verdicts),
        counts["supported"],
        counts["refuted"],
        counts["undecided"],
        counts["void"],
        counts["not_measured"],
        *_share(strict),
        *_share(loose),
        *skill,
    )


def _frame(
    records: Iterable[Verdict | TheoryScore], kind: type[Verdict | TheoryScore]
) -> pd.DataFrame:
    columns = [field.name for field in fields(kind)]
    frame = pd.DataFrame([vars(record) for record in records], columns=columns)
    return frame.sort_values(columns[0], ignore_index=True)


def judge(
    theories: Mapping[str, Theory], measurements: Measurements
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge every prediction of every theory.

    Args:
        theories: By id.
        measurements: Experiment id -> its tidy rows.

    Returns:
        Verdicts, one a prediction, with p-values adjusted by Holm within each theory;
        and scores, one a theory. Both sorted by id.
    """
    verdicts: list[Verdict] = []
    scores = []
    for name, theory in theories.items():
        found = [
            judge_prediction(f"{name}/{number}", name, prediction, measurements)
            for number, prediction in theory.predictions.items()
        ]
        adjusted = holm([verdict.p_value for verdict in found])
        verdicts += [
            replace(verdict, p_holm=float(p))
            for verdict, p in zip(found, adjusted, strict=True)
        ]
        scores.append(_theory_score(name, theory, found, measurements))
    return _frame(verdicts, Verdict), _frame(scores, TheoryScore)


def write(verdicts: pd.DataFrame, theories: pd.DataFrame, folder: Path) -> None:
    """Write ``verdicts.csv`` and ``theories.csv``.

    Raises:
        StoreError: The disk does not take it; each file is whole, old or new.
    """
    write_table(verdicts, folder / "verdicts.csv")
    write_table(theories, folder / "theories.csv")
