"""What M-MAE (Tan et al. 2024) adds to the mask graph: entropy, and a better probe."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Metric
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import ROOT_ACCURACY, Prediction

_PLACE = "arXiv 2309.17281, abstract and tables; released weight and mu of ViT-L"


def _above(
    rival: str,
    dataset: str,
    metric: Metric,
    margin: float,
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
        experiment=LEADERBOARD,
        metric=metric,
        where={
            "dataset": dataset,
            "method": ("m_mae", rival, without),
            "token": "mean",
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
        ceiling=ceiling,
    )


_ENTROPY = (
    "the log-determinant of the class tokens raises the effective rank of the mean "
    "tokens over plain MAE's, by a twentieth of their width"
)
_PROBE = "and the linear probe is above U-MAE's, by a point or more"
MATRIX_INFORMATION = {
    "MM1": _above(
        "mae",
        "gaussian_tree",
        effective_rank,
        0.05,
        _ENTROPY,
        "cross_mae",
        1.0,
        target="centred_share",
    ),
    "MM2": _above(
        "u_mae", "gaussian_tree", linear_probe, 0.01, _PROBE, "mae", ROOT_ACCURACY
    ),
    "MM2-digits": _above("u_mae", "digits", linear_probe, 0.01, _PROBE, "mae", 1.0),
}
