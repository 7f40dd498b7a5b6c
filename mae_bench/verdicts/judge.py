"""Theories x measurements -> verdicts, and how each theory fared.

What a prediction's rows say is weighed on its own, see ``weigh``; whether it is
decided, all predictions settle together, so that of those that are decided 5 % at most
are on the wrong side. A supported one must be told from its control as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from mae_bench.records.rows import Measurements, write_table
from mae_bench.records.ruling import TheoryScore, Verdict
from mae_bench.records.stats import wilson
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule
from mae_bench.verdicts import forecast
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.forecast import MEAN, Skill, Skills
from mae_bench.verdicts.hearing import hear
from mae_bench.verdicts.registration import PILOT
from mae_bench.verdicts.roundings import Roundings, by_rounding
from mae_bench.verdicts.told import Told, asked_of, listen

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory


class Judged(NamedTuple):
    """What all rows say of all theories.

    Args:
        verdicts: One a prediction, sorted by id.
        theories: How each fared, sorted by id.
        forecasts: See ``forecast.table``.
    """

    verdicts: pd.DataFrame
    theories: pd.DataFrame
    forecasts: pd.DataFrame


def judge_prediction(
    key: str, theory_id: str, prediction: Prediction, measurements: Measurements
) -> Verdict:
    """What all seeds say of one prediction, as if there were no other.

    Args:
        key: Its id, e.g. ``hierarchical_latents/K4``.
        theory_id: Whose it is.
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.

    Raises:
        ValueError: The claim names an unknown column.
    """
    measurements = {name: in_order(rows) for name, rows in measurements.items()}
    told = Told(key, theory_id, prediction, {"all": hear(prediction, measurements)})
    return told.verdict({"all": DECISIVE})


def _share(verdicts: Iterable[Verdict]) -> tuple[float, float, float]:
    """Share of the decided that were supported, with its interval."""
    counts = Counter(v.verdict for v in verdicts)
    return wilson(counts["supported"], counts["supported"] + counts["refuted"])


def _theory_score(
    name: str, verdicts: list[Verdict], forecasts: Mapping[str, Skills]
) -> TheoryScore:
    """Count; what is derived from a theorem counts with the theorems."""
    counts = Counter(v.verdict for v in verdicts)
    grid = next(iter(forecasts), "")
    skill = forecasts[grid][MEAN] if grid else Skill()
    loose = [v for v in verdicts if v.standing.startswith("extrapolation")]
    strict = [v for v in verdicts if v.standing.startswith(("theorem", "derived"))]
    return TheoryScore(
        name,
        len(verdicts),
        counts["supported"],
        counts["refuted"],
        counts["undecided"],
        counts["void"],
        counts["control_open"],
        counts["untestable"],
        counts["not_converged"],
        counts["depends_on_scale"],
        counts["not_measured"],
        sum(v.confirmed == "yes" for v in verdicts),
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


def _by_rounding(
    told: Told, roundings: Roundings, first_seeds: Mapping[str, int], rule: Rule
) -> str:
    """Words of the seeds of the phase that is judged, one a rounding."""
    seeds = roundings.seeds(told.prediction.experiment.id)
    if told.phase == "confirmatory":
        seeds = {seed for seed in seeds if seed >= first_seeds[told.key]}
    if told.phase == "pilot":
        seeds &= set(PILOT)
    return ", ".join(by_rounding(told.prediction, roundings, seeds, rule))


def judge(
    theories: Mapping[str, Theory],
    measurements: Measurements,
    first_seeds: Mapping[str, int] | None = None,
    rule: Rule = ANYTIME,
) -> Judged:
    """Judge every prediction and every forecast of every theory.

    Args:
        theories: By id.
        measurements: Experiment id -> its tidy rows.
        first_seeds: Registered prediction -> its first confirmatory seed; of the
            others all seeds count.
        rule: How effects are weighed: whenever one looks, or at a fixed number.

    Raises:
        ValueError: A claim names an unknown column.
    """
    roundings, first = Roundings(measurements), first_seeds or {}
    measurements = {name: in_order(rows) for name, rows in measurements.items()}
    told = listen(theories, measurements, first, rule)
    asked = asked_of(told, rule)
    verdicts = [
        replace(
            each.verdict(asked), by_rounding=_by_rounding(each, roundings, first, rule)
        )
        for each in told
    ]
    verdicts += [
        Verdict(prediction=f"{name}/{number}", theory=name, reason=reason)
        for name, theory in theories.items()
        for number, reason in theory.unmeasured.items()
    ]
    verdicts = [replace(each, paper=theories[each.theory].paper) for each in verdicts]
    skills = forecast.of_theories(theories, measurements)
    scores = [
        _theory_score(name, [v for v in verdicts if v.theory == name], skills[name])
        for name in theories
    ]
    return Judged(
        _frame(verdicts, Verdict),
        _frame(scores, TheoryScore),
        forecast.table(skills),
    )


def write(judged: Judged, folder: Path) -> None:
    """Write ``verdicts.csv``, ``theories.csv`` and ``forecasts.csv``.

    Raises:
        StoreError: The disk does not take it; each file is whole, old or new.
    """
    for name, table in judged._asdict().items():
        write_table(table, folder / f"{name}.csv")
