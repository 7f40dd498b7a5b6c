"""What M-MAE (Tan et al. 2024) adds to the mask graph: entropy, and a better probe.

Its log-determinant is of class tokens, and so are the paper's probes. Numbers that end
in ``-mean`` are of the mean of the patch tokens, which no loss of its touches.
"""

from collections.abc import Mapping
from dataclasses import replace

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Metric
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import ROOT_ACCURACY, Prediction, acted_on

_PLACE = "arXiv 2309.17281, abstract and tables; released weight and mu of ViT-L"


def _above(
    rival: str,
    dataset: str,
    metric: Metric,
    margin: float,
    least: str,
    claim: str,
    without: str,
    ceiling: float,
    **where: str,
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Contrast(
            margin, treatment={"method": "m_mae"}, baseline={"method": rival}
        ),
        margin_reason=acted_on(least),
        experiment=LEADERBOARD,
        metric=metric,
        where={
            "dataset": dataset,
            "method": ("m_mae", rival, without),
            "token": "cls",
            **where,
        },
        control=Control(
            reason=f"{without} has no log-determinant in its loss: what it gains as "
            "well is not M-MAE's",
            form=Contrast(
                margin, treatment={"method": without}, baseline={"method": rival}
            ),
        ),
        standing="extrapolation",
        place=_PLACE,
        refuted_by="no difference over three or more seeds, or the reverse",
        version=2,
        ceiling=ceiling,
    )


def _of_mean(prediction: Prediction) -> Prediction:
    claim = prediction.claim.replace(_CLASS, "mean tokens")
    where = {**prediction.where, "token": "mean"}
    return replace(prediction, claim=claim, where=where, version=1)


_CLASS, _POINT = "class tokens", "a point of accuracy"
_ENTROPY = (
    "the log-determinant, which spreads the tokens of the class, raises the effective "
    f"rank of {_CLASS} over plain MAE's, by a twentieth of their width"
)
_PROBE = (
    f"with the log-determinant the linear probe of {_CLASS} is above U-MAE's, by a "
    "point or more"
)
_OF_CLASS = {
    "MM1": _above(
        "mae",
        "gaussian_tree",
        effective_rank,
        0.05,
        "a twentieth of the width",
        _ENTROPY,
        "cross_mae",
        1.0,
        target="centred_share",
    ),
    "MM2": _above(
        "u_mae",
        "gaussian_tree",
        linear_probe,
        0.01,
        _POINT,
        _PROBE,
        "mae",
        ROOT_ACCURACY,
    ),
    "MM2-digits": _above(
        "u_mae", "digits", linear_probe, 0.01, _POINT, _PROBE, "mae", 1.0
    ),
}
MATRIX_INFORMATION: Mapping[str, Prediction] = _OF_CLASS | {
    f"{number}-mean": _of_mean(prediction) for number, prediction in _OF_CLASS.items()
}
