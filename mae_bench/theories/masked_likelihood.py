"""Li et al. 2024: the more is masked at once, the more a sample tells."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from mae_bench.experiments.mask_efficiency import MASK_EFFICIENCY
from mae_bench.metrics.estimator_variance import estimator_variance
from mae_bench.oracles.masked_likelihood import Masks, relative_variance
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.ordering import Ordering
from mae_bench.theories import Forecast, Prediction, Theory

LENGTH = 9
_ERROR = {"target": "error"}
_GRID = ("masked", "masks", "phi")
_in_grid = partial(Prediction, experiment=MASK_EFFICIENCY, metric=estimator_variance)


def _error(point: Mapping[str, Any]) -> float:
    """Its limit of many samples."""
    masks = cast(Masks, point["masks"])
    return relative_variance(LENGTH, point["phi"], point["masked"], masks)


MASKED_LIKELIHOOD = Theory(
    paper="Li, Kirchmeyer, Mehta, Qin, ..., Risteski 2024, arXiv 2407.21046 (only its "
    "abstract could be read: the formulas are ours)",
    summary=(
        "A masked model of the right form estimates the data's parameters by the "
        "likelihood of k masked coordinates given the others. Its asymptotic variance "
        "never rises with k, and at k = d it is that of maximum likelihood. For what a "
        "mask tells is what the whole tells less what the visible part tells of "
        "itself, and a smaller visible part tells less. Masks of one coordinate "
        "(pseudo-likelihood) are therefore the worst. How much is lost hangs on "
        "whether each sample is seen under one mask or under all: repeated masks of "
        "the same samples make up for most of it."
    ),
    assumptions=(
        "the model holds the truth, its optimum is found, and samples are many",
        "masks of k coordinates are uniform; one a sample, as in training, or all",
        "that larger masks leave harder conditionals to a network is not in it",
    ),
    predictions={
        "GM1": _in_grid(
            claim="with one random mask a sample every step of k from 1 to 2, 4, 6 and "
            "9 of 9 pixels takes away a tenth of the least error or more",
            form=Ordering(0.1, "masked", levels=(9, 6, 4, 2, 1)),
            margin_reason="half of the smallest exact step, 0.21; paired samples leave "
            "0.05 of noise on it",
            where={"masks": "one", "phi": 0.7, **_ERROR},
            control=Control(
                reason="of a chain without correlations all masks together tell as "
                "much at any k",
                where={"masks": "all", "phi": 0.0},
            ),
            standing="theorem",
            place="abstract: larger masks are statistically more efficient",
            refuted_by="a larger mask with the larger error",
        ),
        "GM1-all": _in_grid(
            claim="with all masks of every sample a single masked pixel still costs a "
            "tenth of the error against nine",
            form=Contrast(0.1, treatment={"masked": 1}, baseline={"masked": 9}),
            margin_reason="half of the exact difference, 1.217 less 1",
            where={"masks": "all", "phi": 0.7, **_ERROR},
            control=Control(
                reason="without correlations it costs nothing", where={"phi": 0.0}
            ),
            standing="derived",
            place="abstract, for the mean over masks; the variance is a sandwich",
            refuted_by="a pseudo-likelihood that is as good as the likelihood",
        ),
        "GM1-exact": _in_grid(
            claim="the error is that of the exact Fisher information, to 15 %, at "
            "every k, of one mask and of all, with and without correlations",
            form=Equality(0.15, value={"target": "gap"}, exact=0.0, along=_GRID),
            margin_reason="a thousand fits leave 4.5 % of noise a seed; 200 samples "
            "are a few per cent from the limit",
            where={},
            control=Control(
                reason="small masks are not efficient",
                form=Equality(
                    0.15, value={"target": "gap_efficient"}, exact=0.0, along=_GRID
                ),
            ),
            standing="derived",
            place="ours: I_full - I_visible, and the sandwich of its mean",
            refuted_by="an error that the information does not give",
        ),
        "GM2": _in_grid(
            claim="where all pixels are masked the error is that of maximum "
            "likelihood, to 15 %",
            form=Equality(
                0.15,
                value={"target": "gap_efficient"},
                exact=0.0,
                along=("masks", "phi"),
            ),
            margin_reason="that of GM1-exact",
            where={"masked": 9},
            control=Control(
                reason="with six of nine it is a fifth above it, of one mask",
                where={"masked": 6, "masks": "one", "phi": 0.7},
                form=Equality(0.15, value={"target": "gap_efficient"}, exact=0.0),
            ),
            standing="theorem",
            place="abstract: k = N is maximum likelihood",
            refuted_by="an error above the bound with all masked",
        ),
        "GM-D1": _in_grid(
            claim="of single masked pixels all masks of a sample tell more than four "
            "times as much as one",
            form=Contrast(3.65, treatment={"masks": "one"}, baseline={"masks": "all"}),
            margin_reason="three times what is exact of all masks, 1.22, for one mask "
            "to be more than four times that; exact of one mask is 6.63",
            where={"masked": 1, "phi": 0.7, **_ERROR},
            control=Control(
                reason="with all pixels masked there is one mask", where={"masked": 9}
            ),
            standing="derived",
            place="ours: masks drawn anew each epoch make up for small ones",
            refuted_by="one mask that tells as much as all",
        ),
    },
    forecasts=(
        Forecast(
            experiment=MASK_EFFICIENCY,
            metric=estimator_variance,
            where=_ERROR,
            score=_error,
            reason="the asymptotic variance, from the Fisher information",
        ),
    ),
    unmeasured={
        "GM-sampling": "that mixing of the sampler limits what masked models generate: "
        "no method here samples",
        "GM-network": "whether trained networks gain from larger masks at a finite "
        "number of images is left to the leaderboards of mask ratios",
    },
)
