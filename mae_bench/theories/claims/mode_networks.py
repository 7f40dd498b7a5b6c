"""Networks that are blind to how frequent a mode is.

The authors claim nothing of the kind; that a trained network is blind as a model of one
parameter is, is our extrapolation. With nothing visible a network is asked what it was
never shown, and might be wrong for that alone: so it is where one visible patch, which
does not hide the weight, was all that it saw.
"""

from functools import partial
from typing import cast

from mae_bench.datasets.two_modes import TwoModes
from mae_bench.experiments.mode_networks import MODE_NETWORKS, ONE_VISIBLE
from mae_bench.metrics.mode_frequency import mode_frequency
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.records.registry import settings
from mae_bench.records.schema import Settings
from mae_bench.theories import Prediction

_WEIGHT = cast(float, settings(TwoModes)["weight"])
_in_networks = partial(Prediction, experiment=MODE_NETWORKS, metric=mode_frequency)


def _repaired(method: str, by: str) -> Prediction:
    """The error of MAE is larger than that of another schedule."""
    other: Settings = {"method": method, "mask_ratio": 0.75}

    def worse(ratio: float) -> Contrast:
        mae: Settings = {"method": "mae", "mask_ratio": ratio}
        return Contrast(0.1, treatment=mae, baseline=other)

    return _in_networks(
        claim="with nothing visible an MAE of 16 visible patches gives the mode a "
        f"weight that is wrong by 0.1 more than that of an MAE {by}, in each world",
        form=worse(0.75),
        margin_reason="a weight of 0.7 that is taken for 0.6 or 0.8",
        where={"target": "error"},
        control=Control(
            reason="from one visible patch, which hides neither mode nor weight, MAE "
            "learns it as well",
            form=worse(ONE_VISIBLE),
        ),
        standing="extrapolation",
        place="ours: mask schedules of networks, which the authors disclaim",
        refuted_by="a network that knows the weight though no mask told it",
        each=("dataset",),
    )


NETWORKS = {
    "MB-network": _repaired("full_mask_mae", "that sees nothing of 3 images in 64"),
    "MB-network-uniform": _repaired("r2_mae", "of any number of visible patches"),
    "MB-network-repair": _in_networks(
        claim="with 3 full masks in 64 the weight of the mode is right to 0.1, in each "
        "world",
        form=Equality(0.1, value={"target": "weight"}, exact=_WEIGHT),
        margin_reason="half as wrong as equal weights would be",
        where={"method": "full_mask_mae", "mask_ratio": 0.75},
        control=Control(
            reason="without them nothing tells the weight", where={"method": "mae"}
        ),
        standing="extrapolation",
        place="ours: schedules (1 - pi) delta_m + pi delta_s",
        refuted_by="a network that full masks do not teach the weight",
        each=("dataset",),
    ),
    "MB-network-loss": _in_networks(
        claim="the masked loss of the MAE of 16 visible patches is within 1 % of "
        "Bayes', where this is known",
        form=Equality(0.01, value={"target": "excess"}, exact=0.0),
        margin_reason="a loss of which a reader would say that it is reached",
        where={
            "method": "mae",
            "mask_ratio": 0.75,
            "dataset": ("two_modes", "skewed_hierarchy"),
        },
        control=Control(
            reason="who guesses the mean image is far from it",
            form=Equality(0.01, value={"target": "excess_blind"}, exact=0.0),
        ),
        standing="extrapolation",
        place="ours, after the excess risk U kl(w | lambda) that wrong weights cost",
        refuted_by="a network that is far from the best masked loss",
        each=("dataset",),
    ),
}
