"""Zhang et al. 2022, Sec. 5: what the uniformity loss of U-MAE does to the features.

The loss is of class tokens, and the paper probes these. The mean of the patch tokens,
which the loss does not touch, is read beside them.
"""

from collections.abc import Mapping
from dataclasses import replace

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.trend import Trend
from mae_bench.theories import ROOT_ACCURACY, Prediction, acted_on

_LITTLE, _NONE = {"lamb": 0.001}, {"lamb": 0.0}
_TENTH = "of a tenth of the published weight there is little to be seen"
_GAIN = (
    "the published uniformity weight, lambda = 0.01, raises the accuracy of a linear "
    "probe over plain MAE's by a point or more: "
)
_CLASS = "of the class token, which it makes uniform"
_MEAN = "of the mean of the patch tokens, which it does not touch"

_SWEEP = Prediction(
    claim=_GAIN + _CLASS,
    form=Contrast(margin=0.01, treatment={"lamb": 0.01}, baseline={"lamb": 0.0}),
    margin_reason=acted_on("a point of accuracy"),
    experiment=UNIFORMITY,
    metric=linear_probe,
    where={"token": "cls"},
    control=Control(reason=_TENTH, form=Contrast(0.01, _LITTLE, _NONE)),
    standing="extrapolation",
    place="tables of Sec. 5",
    refuted_by="no gain over three or more seeds",
    version=2,
    ceiling=ROOT_ACCURACY,
)
_DIGITS = replace(
    _SWEEP,
    form=Contrast(0.01, treatment={"method": "u_mae"}, baseline={"method": "mae"}),
    experiment=LEADERBOARD,
    where={
        "dataset": "digits",
        "method": ("u_mae", "mae", "autoencoder"),
        "token": "cls",
    },
    control=Control(
        reason="an autoencoder has no uniformity in its loss either, nor a mask",
        form=Contrast(
            0.01, treatment={"method": "autoencoder"}, baseline={"method": "mae"}
        ),
    ),
    ceiling=1.0,
)


def _of_mean(prediction: Prediction) -> Prediction:
    where = {**prediction.where, "token": "mean"}
    return replace(prediction, claim=_GAIN + _MEAN, where=where, version=1)


UNIFORMITY_LOSS: Mapping[str, Prediction] = {
    "Z5": Prediction(
        claim="the larger lambda, at each step, the larger the effective rank: of "
        "centred features, on a token that the uniformity loss does not touch (on its "
        "own it is an identity)",
        form=Trend(margin=1.0, factor="lamb", direction="increasing"),
        margin_reason=acted_on("one more direction"),
        experiment=UNIFORMITY,
        metric=effective_rank,
        where={"token": "mean", "target": "centred"},
        control=Control(reason=_TENTH, form=Contrast(1.0, _LITTLE, _NONE)),
        standing="extrapolation",
        place="Fig. 1 (b, c)",
        refuted_by="a rank that is flat in lambda, or falls with it",
    ),
    "Z6": _SWEEP,
    "Z6-mean": _of_mean(_SWEEP),
    "Z6-digits": _DIGITS,
    "Z6-digits-mean": _of_mean(_DIGITS),
}
