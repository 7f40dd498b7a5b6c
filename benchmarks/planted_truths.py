"""Rows in which the truth is planted, and what each form sees of them.

Rows of many seeds are drawn around a picture that has what a form claims; the truth is
set by the margin, some standard deviations of a seed (of the part that is hardest to
show) below or above the mean over all seeds that are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Form
from mae_bench.predictions._two_sided import TwoSided
from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.slope import Slope
from mae_bench.predictions.trend import Trend
from mae_bench.records.strength import ENOUGH_SEEDS

LOOKS = 30  # seeds of a draw

Noise = npt.NDArray[np.float64]
Heights = Mapping[tuple[int, str], float]


@dataclass(frozen=True)
class Planted:
    """A form, and what its rows are at each (arm, target), in units of the noise.

    Args:
        form: Its margin is set by the truth.
        high: Where it is to be supported, or at the margin.
        low: Where it is to be refuted; as ``high`` if None.
        part: Of its effects, that which is hardest to show.
        one_in: So many draws are not made for each that is; of forms whose effects
            take a millisecond a seed.
    """

    form: Form
    high: Heights
    low: Heights | None = None
    part: int = 0
    one_in: int = 1


def _line(*heights: float) -> Heights:
    return {(arm, ""): height for arm, height in enumerate(heights)}


def _sets(inside: float, outside: float) -> Heights:
    sides = {"inside": inside, "outside": outside}
    return {(0, f"{s}/{i}"): sides[s] for s in sides for i in range(10)}


def _points(rise: float) -> Heights:
    return {(k, t): (rise if t == "y" else 9.0) * k for k in range(8) for t in "xy"}


ARMS = {"treatment": {"arm": 1}, "baseline": {"arm": 0}}
FORMS = {
    "contrast": Planted(Contrast(1.0, **ARMS), _line(0, 6)),
    "contrast with a constant": Planted(Contrast(1.0, {}, 0.0), _line(6)),
    "trend": Planted(Trend(1.0, "arm"), _line(0, 1.5, 3, 4.5, 6)),
    "ordering": Planted(Ordering(1.0, "arm", (0, 1, 2)), _line(0, 6, 14)),
    "peak": Planted(Peak(1.0, "arm"), _line(0, 1, 6, 1, 0), part=2),
    "nearer": Planted(
        Nearer(1.0, "arm", 0, 1, 2),
        {(k, t): 4.0 * (k == 2) for k in range(3) for t in "abcd"},
    ),
    "association": Planted(
        Association(0.5, {"target": "x"}, {"target": "y"}, ("arm",)),
        _points(0.8),
        _points(0.0),
        one_in=4,
    ),
    "membership": Planted(Membership(0.9), _sets(1.5, 0), _sets(0, 0.5), one_in=4),
    "equality": Planted(
        Equality(1.0, {"arm": 1}, {"arm": 0}), _line(0, 0), _line(0, 9)
    ),
    "slope": Planted(
        Slope(1.0, 0.0, "arm", tuple((arm, float(arm)) for arm in range(4))),
        _line(0, 0, 0, 0),
        _line(0, 9, 18, 27),
    ),
    "equivalence": Planted(
        Equivalence(1.0, Contrast(1.0, {}, 0.0)), _line(0), _line(9)
    ),
}
# It has no margin that a mean could be at: see ``broken``.
BOUND = Bound(1e-9, {}, 0.0, ("arm",))
NOISES = ("gaussian", "t3", "heteroscedastic", "skewed up", "skewed down", "missing")


def noise(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> Noise:
    """Of mean 0 and standard deviation 1, ``[seeds, cells]``; NaN where a cell failed.

    Heteroscedastic: the sd rises from .3 of the first cell to 1.7 of the last.
    """
    e = rng.normal(size=shape)
    if kind == "t3":
        return rng.standard_t(3, shape) / math.sqrt(3)
    if kind == "heteroscedastic" and shape[1] > 1:
        return e * np.linspace(0.3, 1.7, shape[1])
    if kind.startswith("skewed"):
        skewed = (np.exp(e) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)
        return skewed if kind == "skewed up" else -skewed
    return e


def rows_of(
    heights: Heights, kind: str, seeds: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows of so many seeds; of those that miss some, every tenth arm has no value."""
    arms, targets = zip(*heights, strict=True)
    value = np.array([*heights.values()]) + noise(kind, (seeds, len(arms)), rng)
    if kind == "missing":
        failed = rng.random((seeds, max(arms) + 1)) < 0.1
        value[failed[:, list(arms)]] = math.nan
    return pd.DataFrame(
        {
            "seed": np.repeat(np.arange(seeds), len(arms)),
            "arm": np.tile(arms, seeds),
            "target": np.tile(targets, seeds),
            "value": value.ravel(),
        }
    )


@dataclass(frozen=True)
class Looks:
    """Effects of a draw's seeds, and how many there are after each."""

    effects: pd.DataFrame
    counts: list[int]

    def after(self, seeds: int) -> pd.DataFrame:
        """Of so many seeds, those that are whole."""
        return self.effects.iloc[: self.counts[seeds]]

    def until(self, seeds: int) -> Iterator[pd.DataFrame]:
        """After every seed that is whole, from the fourth on."""
        whole = sorted({n for n in self.counts[: seeds + 1] if n >= ENOUGH_SEEDS})
        return (self.effects.iloc[:n] for n in whole)


@dataclass(frozen=True)
class Sample:
    """Effects of many draws of seeds, in one table; a draw has ``LOOKS`` seeds."""

    effects: pd.DataFrame
    draws: int
    part: int

    def margin(self, form: Form, distance: float) -> float:
        """That from which the mean is so many sd on the side of the claim."""
        x = form.parts(self.effects)[:, self.part]
        if isinstance(form, TwoSided):
            return float(abs(x.mean()) + distance * x.std(ddof=1))
        return float(x.mean() - distance * x.std(ddof=1))

    def each(self) -> Iterator[Looks]:
        """Draw by draw."""
        draw, at = divmod(self.effects.index.to_numpy(), LOOKS)
        ends = np.searchsorted(draw, np.arange(self.draws + 1))
        for low, high in pairwise(ends):
            mine, seeds = self.effects.iloc[low:high], at[low:high]
            counts = np.searchsorted(seeds, np.arange(LOOKS + 1))
            yield Looks(mine, counts.tolist())


def sample(
    planted: Planted, kind: str, draws: int, rng: np.random.Generator, low: bool = False
) -> Sample:
    """Draw the rows and look at them by the form."""
    heights = (planted.low or planted.high) if low else planted.high
    draws = math.ceil(draws / planted.one_in)
    rows = rows_of(heights, kind, draws * LOOKS, rng)
    return Sample(planted.form.effects(rows), draws, planted.part)


def broken(
    kind: str, seeds: int, share: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows of ``BOUND``: slack as large as the noise, negative in a share of seeds."""
    rows = rows_of(_line(0, 0, 0), kind, seeds, rng)
    seed = np.flatnonzero(rng.random(seeds) < share)
    hit = rows["seed"].isin(seed) & (rows["arm"] == 1)
    slack = rows["value"].abs()
    return rows.assign(value=slack.where(~hit, -slack))
