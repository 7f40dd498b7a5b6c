"""Shaikh et al. 2026: a masked predictor's conditionals do not fit together."""

from functools import partial

from mae_bench.experiments.conditional_cycles import CONDITIONAL_CYCLES
from mae_bench.metrics.conditional_cycle import conditional_cycle
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory, acted_on

_in_grid = partial(
    Prediction,
    experiment=CONDITIONAL_CYCLES,
    metric=conditional_cycle,
    where={"stop": 1.0},
    standing="extrapolation",
    each=("mask_ratio",),
)
_NETWORK, _EXACT = {"target": "network"}, {"target": "exact"}

INCOMPATIBLE_CONDITIONALS = Theory(
    paper="Shaikh et al. 2026, arXiv 2605.16378 (its abstract was read)",
    summary=(
        "A masked predictor is trained on many conditionals, each for a mask of its "
        "own. Those of one joint law fit together: around a rectangle of two values "
        "of one part and two of another, the log-odds are the same both ways. Nothing "
        "in the training asks for that, and trained predictors fail the test. So "
        "there is no joint law that they are the conditionals of, and quantities that "
        "are defined by one, such as the evidence as a sum of masked scores, are not "
        "theirs."
    ),
    assumptions=(
        "training does not reach the optimum, whose conditionals do fit together",
        "what hardly ever happens is left out: conditionals below 0.02",
    ),
    predictions={
        "RT1": _in_grid(
            claim="the log-odds ratio of two tokens is another one way round than the "
            "other, by 0.05 nats or more on average, at both ratios",
            form=Contrast(0.05, treatment=_NETWORK, baseline=0.0),
            margin_reason="a fifth of the exact ratio, 0.25 nats on average, which was "
            "computed without a network",
            control=Control(
                reason="exact conditionals of the same tokens come from one law",
                form=Contrast(0.05, treatment=_EXACT, baseline=0.0),
            ),
            place="abstract: masked conditionals fail the rectangle test",
            refuted_by="log-odds that agree to 0.05 nats",
        ),
        "RT1-half": _in_grid(
            claim="the two ways round differ by half of the exact log-odds ratio or "
            "more, so that one is no guide to the other, at both ratios",
            form=Contrast(0.5, treatment={"target": "share"}, baseline=0.0),
            margin_reason=acted_on("a half of what is to be told"),
            control=Control(
                reason="untrained, both ways round tell of the initial weights alone",
                where={"stop": 0.0},
            ),
            place="ours: how large the failure is",
            refuted_by="a difference that is small beside the ratio itself",
        ),
    },
)
