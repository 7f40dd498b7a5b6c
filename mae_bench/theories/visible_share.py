"""Nothing but how much is visible: the theory that the others must beat."""

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.trend import Trend
from mae_bench.theories import ROOT_R2, Forecast, Prediction, Theory, acted_on

_ROOT = {
    "dataset": "gaussian_tree",
    "method": "mae",
    "view": "unmasked",
    "token": "mean",
    "target": "level_0",
}

VISIBLE_SHARE = Theory(
    paper="none: the null hypothesis of this benchmark",
    summary=(
        "An encoder is as good as what it has seen. A masked autoencoder at ratio r "
        "sees the share 1 - r of every image, so its features get worse as r grows. "
        "Nothing else about the mask matters: not its unit, not its alignment with "
        "the latents. Equal exposure gives equal encoders, whatever the loss adds."
    ),
    assumptions=("all methods are trained equally long on equally many images",),
    predictions={
        "N1": Prediction(
            claim="the more of an image is visible in training, the better the encoder",
            form=Trend(margin=0.02, factor="mask_ratio", direction="decreasing"),
            margin_reason=acted_on("0.02 of an R2"),
            experiment=MASK_RATIO,
            metric=linear_r2,
            where=_ROOT,
            control=Control(
                reason="another image's root is in no encoder, whatever it saw",
                where={"token": "mean/shuffled"},
            ),
            standing="extrapolation",
            place="this project's null hypothesis",
            refuted_by="a probe that is flat in the mask ratio, or rises with it",
            ceiling=ROOT_R2,
            converged=True,
        ),
    },
    forecasts=tuple(
        Forecast(
            experiment=grid,
            metric=linear_probe,
            where={"token": "mean", "view": "unmasked"},
            score=lambda factors: 1.0 - float(factors["mask_ratio"] or 0.0),
            reason="the visible share, 1 - r",
        )
        for grid in (MASK_UNIT_BY_PATCH_SIZE, FORECAST_GRID)
    ),
)
