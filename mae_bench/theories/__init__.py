"""Why: each theory in five sentences, what it assumes, and what would refute it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mae_bench.experiments import Experiment
from mae_bench.metrics import Metric
from mae_bench.predictions import Control, Form
from mae_bench.records.room import furnish
from mae_bench.records.schema import Setting

Standing = Literal["theorem", "derived", "extrapolation"]

# The best that whole images of ``gaussian_tree`` allow: R2 of the root's posterior
# mean, and the accuracy of Bayes for its class, the signs of two coordinates. A leaf's
# four pixels say z with precision 8, from noise of 0.5; a node's four children, of
# precision p each, say it with precision 4 * 0.81 / (0.19 + 1 / p): 10.29, then 11.28
# for the root. So R2 = 1 - 1 / 12.28, and a posterior mean of correlation sqrt(R2)
# has the sign of a coordinate with probability 1/2 + arcsin(sqrt(R2)) / pi.
ROOT_R2 = 0.9186
ROOT_ACCURACY = 0.8243


def acted_on(least: str) -> str:
    """The reason of a margin of which no formula says how large it must be.

    >>> acted_on("a point of accuracy")
    'no formula says how much; what one would act on is a point of accuracy'
    """
    return f"no formula says how much; what one would act on is {least}"


@dataclass(frozen=True)
class Prediction:
    """A numbered, refutable claim.

    Args:
        claim: The statement, in a sentence.
        form: Its statistics, with the margin.
        experiment: Where it is looked for.
        metric: What is looked at.
        where: Rows that it speaks of, e.g. ``{"method": "mae", "token": "mean"}``;
            a tuple admits several values.
        control: Where it must not hold.
        standing: ``theorem``, ``derived`` from one, or a verbal ``extrapolation``.
        place: Where the paper says it.
        refuted_by: What would refute it, in words.
        margin_reason: Why the margin is as large as it is, in words.
        version: Moves when the claim's statistics move.
        against: A second metric whose rows the form sees as well; each of the form's
            filters says ``{"metric": id}``, for failures do not know their target.
        ceiling: What the metric can be at best, a constant or row filters of the same
            experiment; a claim that asks for more is untestable.
        each: Columns, e.g. ``dataset``: the claim must hold at every one of their
            values, and is not averaged over them.
        size: The column, among ``each``, that says how large the grid or network is:
            where sizes disagree the claim depends on scale.
        converged: Whether it speaks of optima, and asks that its cells have converged.
        planted: The recipe by which its rows are made to deny it before they are
            judged, see ``verdicts.planting``; empty of a claim that is meant.
    """

    claim: str
    form: Form
    experiment: Experiment
    metric: Metric
    where: Mapping[str, Setting | tuple[Setting, ...]]
    control: Control
    standing: Standing
    place: str
    refuted_by: str
    margin_reason: str = ""
    version: int = 1
    against: Metric | None = None
    ceiling: float | Mapping[str, Setting | tuple[Setting, ...]] | None = None
    each: tuple[str, ...] = ()
    size: str | None = None
    converged: bool = False
    planted: str = ""


@dataclass(frozen=True)
class Forecast:
    """An ordering of configurations, said without training.

    Args:
        experiment: Whose grid is ordered.
        metric: What is forecast.
        where: Rows that it speaks of.
        score: Factor values and ``dataset`` -> a number; larger means a larger metric
            in that dataset. None where the theory does not say.
        reason: The formula, in words.
    """

    experiment: Experiment
    metric: Metric
    where: Mapping[str, Setting | tuple[Setting, ...]]
    score: Callable[[Mapping[str, Setting]], float | None]
    reason: str


@dataclass(frozen=True)
class Theory:
    """A theory of masked autoencoders.

    Args:
        paper: Authors, year, arXiv id.
        summary: The theory in about five sentences.
        assumptions: What it takes for granted.
        predictions: Number -> claim, e.g. ``Z5``.
        forecasts: Its orderings of configurations, each of another experiment; the
            first is compared in ``theories.csv``.
        unmeasured: Number -> why it is not measured here.
    """

    paper: str
    summary: str
    assumptions: tuple[str, ...]
    predictions: Mapping[str, Prediction]
    forecasts: tuple[Forecast, ...] = ()
    unmeasured: Mapping[str, str] = field(default_factory=dict)

    @property
    def forecast(self) -> Forecast | None:
        """The first of its forecasts, if it has one."""
        return self.forecasts[0] if self.forecasts else None


furnish(__name__)
