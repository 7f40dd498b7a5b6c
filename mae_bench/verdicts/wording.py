"""A prediction in words: what a reader of ``verdicts.csv`` alone has to know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mae_bench.predictions.equivalence import Equivalence
from mae_bench.records.rows import Where, in_words, value_in_words

if TYPE_CHECKING:
    from mae_bench.metrics import Metric
    from mae_bench.theories import Prediction


def wording(prediction: Prediction) -> dict[str, str]:
    """Claim, place, where it is looked for, control, what refutes it, why this margin.

    Args:
        prediction: The claim.

    Returns:
        The fields of ``Verdict`` of these names.
    """
    return {
        "claim": prediction.claim,
        "place": prediction.place,
        "experiment": prediction.experiment.id,
        "metric": " and ".join(m.id for m in _metrics(prediction)),
        "unit": prediction.form.unit(_counted_in(prediction)),
        "control": control(prediction),
        "refuted_by": prediction.refuted_by,
        "margin_reason": prediction.margin_reason,
    }


def _metrics(prediction: Prediction) -> list[Metric]:
    return [m for m in (prediction.metric, prediction.against) if m is not None]


def _counted_in(prediction: Prediction) -> str:
    """The unit of what is looked at, and the values that the metric can have."""
    metric = prediction.metric
    units = dict.fromkeys(metric.unit_of(target) for target in _targets(prediction))
    unit = " or ".join(filter(None, units)) or metric.id
    lower, upper = metric.lower, metric.upper
    if math.isfinite(lower) and math.isfinite(upper):
        return f"{unit}, {lower:g} to {upper:g}"
    if math.isfinite(upper):
        return f"{unit}, at most {upper:g}"
    return f"{unit}, at least {lower:g}" if math.isfinite(lower) else unit


def _targets(prediction: Prediction) -> list[str]:
    """What of the metric is looked at: by the form, or else by the filters."""
    form = prediction.form
    form = form.form if isinstance(form, Equivalence) else form
    sides = [side for side in vars(form).values() if isinstance(side, Mapping)]
    of_form = [side["target"] for side in sides if "target" in side]
    found = of_form or [prediction.where.get("target", "")]
    return [
        str(one)
        for each in found
        for one in (each if isinstance(each, tuple) else [each])
    ]


def control(prediction: Prediction) -> str:
    """What the control has in place of what the claim has, and why it must fail there.

    Args:
        prediction: The claim.
    """
    given = prediction.control
    if given.absent:
        return f"none: {given.reason}"
    last = "all else the same"
    if given.form is not None:
        last = f"in place of the claim: {given.form.words}"
    return f"{', '.join([*_changes(prediction), last])}; because {given.reason}"


def _changes(prediction: Prediction) -> Iterator[str]:
    """What its control has in place of the claim's filters."""
    for column, value in prediction.control.where.items():
        said = f"{column} {value_in_words(value)}"
        if column not in prediction.where:
            yield said
        elif prediction.where[column] != value:
            yield f"{said} in place of {value_in_words(prediction.where[column])}"


def measured(prediction: Prediction) -> str:
    """The form of the claim with its margin, and at which points it must hold."""
    each = f", at each {' and '.join(prediction.each)}" if prediction.each else ""
    return f"{prediction.form.words}{each}"


def where(prediction: Prediction, other: Where | None = None) -> str:
    """The rows that it speaks of; all of the experiment where it names none.

    Args:
        prediction: The claim.
        other: Filters in place of some of its own, as those of a ceiling are.
    """
    filters = {**prediction.where, **(other or {})}
    return in_words(filters) if filters else "all rows"
