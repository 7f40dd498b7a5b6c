"""Theories x measurements -> verdicts, and how each theory fared.

A prediction is supported or refuted as its form decides, in general if its interval
over seeds lies above or below its margin; undecided otherwise or with fewer than three
seeds; void if its control, where the claim must not hold, is supported as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from mae_bench.records.rows import Measurements, Where, shuffled, write_table
from mae_bench.records.schema import TheoryScore, Verdict
from mae_bench.records.stats import holm, wilson
from mae_bench.verdicts.evidence import applicable, coverage, select
from mae_bench.verdicts.forecast import Skill, forecast_skill

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory


def _rows(
    measurements: Measurements, prediction: Prediction, where: Where
) -> pd.DataFrame:
    metrics = tuple(m for m in (prediction.metric, prediction.against) if m)
    return select(measurements, prediction.experiment, metrics, where)


def _control_verdict(
    key: str, prediction: Prediction, measurements: Measurements
) -> Literal["supported", "refuted", "undecided", "not_measured"]:
    control = prediction.control
    if not control.where and control.shuffle is None and control.form is None:
        raise ValueError(
            f"the control of {key} is its own claim; say where, shuffle or form"
        )
    where = {**prediction.where, **control.where}
    rows = applicable(_rows(measurements, prediction, where))
    if rows["value"].notna().sum() == 0:
        return "not_measured"
    if control.shuffle is not None:
        rows = shuffled(rows, control.shuffle, key)
    form = control.form or prediction.form
    return form.decide(form.effects(rows))


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
    rows = _rows(measurements, prediction, prediction.where)
    form = prediction.form
    control = _control_verdict(key, prediction, measurements)
    measured = bool(rows["value"].notna().any())
    # Without any value a form has nothing to look at.
    ours = applicable(rows)
    effects = form.effects(ours) if measured else pd.Series(dtype=float)
    estimate, low, high = form.interval(effects)
    decision = form.decide(effects) if measured else "not_measured"
    void = decision == control == "supported"
    return Verdict(
        prediction=key,
        theory=theory_id,
        standing=prediction.standing,
        form=type(form).__name__.lower(),
        verdict="void" if void else decision,
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        margin=form.margin,
        n_seeds=len(effects),
        p_value=form.p_value(effects),
        p_holm=math.nan,
        control_verdict=control,
        minimum_detectable_effect=form.minimum_detectable_effect(effects),
        coverage=coverage(rows),
        version=prediction.version,
        location=form.location(ours) if measured else "",
        reason="",
    )


def _not_measured(key: str, theory_id: str, reason: str) -> Verdict:
    """The row of a claim that is not measured here."""
    return Verdict(
        prediction=key,
        theory=theory_id,
        standing="",
        form="",
        verdict="not_measured",
        estimate=math.nan,
        ci_low=math.nan,
        ci_high=math.nan,
        margin=math.nan,
        n_seeds=0,
        p_value=math.nan,
        p_holm=math.nan,
        control_verdict="not_measured",
        minimum_detectable_effect=math.nan,
        coverage=0.0,
        version=0,
        location="",
        reason=reason,
    )


def _share(verdicts: Iterable[Verdict]) -> tuple[float, float, float]:
    """Share of the decided that were supported, with its interval."""
    counts = Counter(v.verdict for v in verdicts)
    return wilson(counts["supported"], counts["supported"] + counts["refuted"])


def _theory_score(
    name: str, theory: Theory, verdicts: list[Verdict], measurements: Measurements
) -> TheoryScore:
    """Count; what is derived from a theorem counts with the theorems."""
    counts = Counter(v.verdict for v in verdicts)
    skill, grid = Skill(), ""
    if theory.forecast is not None:
        skill = forecast_skill(theory.forecast, measurements)
        grid = theory.forecast.experiment.id
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
        grid,
        skill.skill,
        skill.low,
        skill.high,
        skill.p_value,
        skill.worlds,
        skill.coverage,
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
        found += [
            _not_measured(f"{name}/{number}", name, reason)
            for number, reason in theory.unmeasured.items()
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
