"""Claims made false on purpose: rows in which what is claimed does not hold.

A planted null is a real claim whose rows are altered before they are weighed, by one of
four recipes. It goes through the same door as all others, so that the share of nulls
that are supported is measured and not only promised. The draws of a seed depend on the
recipe, the claim and the seed alone, neither on other seeds nor on the rows' order; and
every condition of a claim, and its control, is altered by the same draw: what the
alteration itself brings about would be in both.

Each makes a claim false whatever the rows say, for the draws are independent of them:

``relabelled``: the values of a seed are dealt anew, uniformly at random, to the rows
that the claim speaks of (to its y, of an association). Every row then expects the same
mean, so the expected effect is 0 of a contrast of two sides, of each step of an
ordering, each height of a peak and the line of a trend. An order and its reverse are
as likely, so tau expects 0; so are two profiles and the same exchanged, so ``Nearer``
expects 0; a value inside is as likely above one outside as below, so the area under a
curve expects 1/2. All margins are beyond that. (Where a side is a constant there is
nothing to deal; of two rows the deal is the toss of a coin, and ``2^-n`` of n seeds all
fall on the side of the claim: 3 % of five, 6 % of four.)

``scattered``: of a contrast with a constant, the effect of a seed is multiplied by a
standard normal number z: it expects 0.

``shifted``: closeness is false once something is far. The effect of an equality, of a
slope, or of an equivalence of a contrast, becomes ``z effect + 1.1 margin``: it expects
a tenth of the margin more than is allowed.

``violated``: in every second seed, on average, one point of a bound is put beyond its
limit by at least twice the margin. None of n seeds is in ``2^-n``: of nulls with five
seeds 3 % are supported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Form, constant_or_means
from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.slope import Slope
from mae_bench.records.rows import COLUMNS, IDENTITY, Where, matching
from mae_bench.records.schema import digest
from mae_bench.records.stats import wilson
from mae_bench.records.words import Words, order_by

if TYPE_CHECKING:
    from mae_bench.theories import Prediction

# The word that stands for a null's standing in ``verdicts.csv``.
PLANTED = "planted"
# Of a closeness that is false, how many margins it is off.
BEYOND = 1.1
# Below the margin of every bound that there is.
_LEAST = 1e-6

Draw = Callable[[Any], np.random.Generator]
Recipe = Callable[[pd.DataFrame, Form, tuple[str, ...], Draw], "pd.Series[float]"]


def plant(
    prediction: Prediction, rows: pd.DataFrame, form: Form | None = None
) -> pd.DataFrame:
    """The rows of a claim, or of its control, altered by the claim's recipe.

    Args:
        prediction: Its ``planted`` names the recipe; with none rows stay as they are.
        rows: See ``evidence.select``.
        form: Of the control, in place of the prediction's own.

    Raises:
        ValueError: No such recipe, or none for such a form.
    """
    if not prediction.planted:
        return rows
    if prediction.planted not in RECIPES:
        known = ", ".join(RECIPES)
        raise ValueError(f"no recipe {prediction.planted!r}; there are {known}")
    said = (prediction.planted, prediction.experiment.id, prediction.metric.id)
    claim = digest(*said, dict(prediction.where), repr(prediction.form))

    def draw(seed: Any) -> np.random.Generator:
        return np.random.default_rng(int(digest(claim, int(seed)), 16))

    recipe = RECIPES[prediction.planted]
    altered = recipe(rows, form or prediction.form, prediction.each, draw)
    return rows.assign(value=altered.reindex(rows.index).combine_first(rows["value"]))


def _relabelled(
    rows: pd.DataFrame, form: Form, each: tuple[str, ...], draw: Draw
) -> pd.Series[float]:
    """Values dealt anew among the rows of a seed, apart in each condition."""
    dealt = matching(rows, form.y) if isinstance(form, Association) else rows
    dealt = dealt[dealt["value"].notna()]
    labels = [str(c) for c in rows if c not in COLUMNS or c in IDENTITY]
    labels = [c for c in labels if c not in ("seed", "cell")]
    dealt = dealt.take(order_by([_places_as_text(dealt[label]) for label in labels]))
    values, seeds = dealt["value"].to_numpy(), dealt["seed"].to_numpy()
    found = values.copy()
    for at in dealt.groupby(["seed", *each], dropna=False).indices.values():
        order = draw(seeds[at[0]]).permutation(len(at))
        found[at] = values[at[order]]
    return pd.Series(found, dealt.index)


def _places_as_text(column: pd.Series) -> npt.NDArray[np.intp]:
    """Where each entry stands among all that there are, as text; empty last."""
    of = Words.of(column)
    text = [str(word) if word == word else word for word in of.words.tolist()]
    return replace(of, words=pd.Series(text, dtype=object)).places()


class _Sides(NamedTuple):
    """What a form compares: ``effect = sign (moved - still) / scale``."""

    moved: Where
    still: Where | float
    sign: int = 1
    scale: float = 1.0
    relative: bool = False
    along: tuple[str, ...] = ()


def _sides(form: Form) -> _Sides:
    if isinstance(form, Equivalence):
        form = form.form
    if isinstance(form, Contrast):
        return _Sides(form.treatment, form.baseline, form.sign, form.scale)
    if isinstance(form, Equality):
        return _Sides(form.value, form.exact, 1, 1.0, form.relative, form.along)
    if isinstance(form, Bound):
        return _Sides(form.value, form.limit, form.sign, 1.0, False, form.along)
    raise ValueError(f"a {type(form).__name__} has no two sides, one to be moved")


def _compared(
    rows: pd.DataFrame, sides: _Sides, each: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """The rows of the side that is moved, and what each is compared with."""
    moved = matching(rows, sides.moved)
    along = tuple(dict.fromkeys([*each, *sides.along]))
    still: Any = constant_or_means(rows, sides.still, *along)
    if not isinstance(sides.still, Mapping):
        return moved, pd.Series(float(still), index=moved.index)
    means = still.rename("still").reset_index()
    joined = moved[["seed", *along]].merge(means, how="left", on=["seed", *along])
    return moved, joined["still"].set_axis(moved.index)


def _moved(
    rows: pd.DataFrame, form: Form, each: tuple[str, ...], draw: Draw, margins: float
) -> pd.Series[float]:
    """So that the effect is z times what it was, and some margins."""
    if isinstance(form, Slope):
        return _tilted(rows, form, draw, margins)
    sides = _sides(form)
    moved, still = _compared(rows, sides, each)
    z = moved["seed"].map({s: draw(s).normal() for s in moved["seed"].unique()})
    unit = still.abs() if sides.relative else sides.sign * sides.scale
    found: pd.Series[float] = still + z * (moved["value"] - still)
    return found + margins * form.margin * unit


def _tilted(
    rows: pd.DataFrame, form: Slope, draw: Draw, margins: float
) -> pd.Series[float]:
    """Likewise of a slope: a seed's line is turned about its middle."""
    places = dict(form.at)
    x = rows[form.factor].map(places) - float(np.mean([*places.values()]))
    effect = rows["seed"].map(form.effects(rows)["slope"])
    z = rows["seed"].map({s: draw(s).normal() for s in rows["seed"].unique()})
    found: pd.Series[float] = (
        rows["value"] + ((z - 1) * effect + margins * form.margin) * x
    )
    return found


def _scattered(
    rows: pd.DataFrame, form: Form, each: tuple[str, ...], draw: Draw
) -> pd.Series[float]:
    return _moved(rows, form, each, draw, 0.0)


def _shifted(
    rows: pd.DataFrame, form: Form, each: tuple[str, ...], draw: Draw
) -> pd.Series[float]:
    return _moved(rows, form, each, draw, BEYOND)


def _violated(
    rows: pd.DataFrame, form: Form, each: tuple[str, ...], draw: Draw
) -> pd.Series[float]:
    """One point of a seed beyond the limit, in every second seed."""
    sides = _sides(form)
    moved, still = _compared(rows, sides, each)
    moved = moved.assign(still=still)[moved["value"].notna() & still.notna()]
    value, limit = moved["value"].to_numpy(), moved["still"].to_numpy()
    beyond = np.abs(value - limit) + 2 * (form.margin + _LEAST)
    chosen = []
    for seed, at in moved.groupby("seed").indices.items():
        stream = draw(seed)
        if stream.random() < 0.5:
            chosen.append(at[int(stream.integers(len(at)))])
    found = (limit - sides.sign * beyond)[chosen]
    return pd.Series(found, moved.index[chosen], dtype=float)


RECIPES: Mapping[str, Recipe] = {
    "relabelled": _relabelled,
    "scattered": _scattered,
    "shifted": _shifted,
    "violated": _violated,
}


def told(verdicts: pd.DataFrame) -> str:
    """How many planted nulls are supported, with a Wilson interval, in words.

    Args:
        verdicts: As judged; those that are not measured do not count.
    """
    nulls = verdicts[verdicts["standing"].str.startswith(PLANTED)]
    words = nulls.loc[nulls["verdict"] != "not_measured", "verdict"]
    held = int((words == "supported").sum())
    if not len(words):
        return "planted nulls: none is measured"
    _, low, high = wilson(held, len(words))
    interval = f"95 % interval {low:.2g} to {high:.2g}"
    return f"planted nulls: {held} of {len(words)} supported ({interval})"
