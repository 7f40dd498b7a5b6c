"""SimMIM's one-number rival: how far a masked pixel is from what is visible."""

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.oracles.forecasting import mask_of, ridge
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Forecast, Prediction, Theory, acted_on

AVERAGE_DISTANCE = Theory(
    paper="Xie et al., CVPR 2022, arXiv 2111.09886 (SimMIM), AvgDist",
    summary=(
        "One number of a mask tells how good the encoder will be: the mean distance of "
        "a masked pixel to the nearest visible one. Too near, and interpolation does; "
        "too far, and nothing can be said. Accuracies over ratios and sizes of masks "
        "fall on one ridge, which is highest at 10 to 20 pixels of an image of 192. "
        "It is no theory but a rival that theories must beat; scaled to another size "
        "of image, as here, it is this project's reading."
    ),
    assumptions=("distances scale with the image",),
    predictions={
        "A1": Prediction(
            claim="on images of 8 pixels every mask is past the ridge, so the smaller "
            "distance is better: a mask unit of 2 beats one of 4, in each world, at "
            "each ratio",
            form=Contrast(
                margin=0.01,
                treatment={"mask_unit": 2, "patch_size": 2},
                baseline={"mask_unit": 4, "patch_size": 2},
            ),
            margin_reason=acted_on("a point of accuracy"),
            experiment=MASK_UNIT_BY_PATCH_SIZE,
            metric=linear_probe,
            where={
                "dataset": ("gaussian_tree", "random_hierarchy"),
                "token": "mean",
                "view": "unmasked",
            },
            control=Control(
                reason="under one mask patches of 2 and of 4 are as far from what is "
                "visible: the distance tells them not apart",
                form=Contrast(
                    margin=0.01,
                    treatment={"mask_unit": 4, "patch_size": 2},
                    baseline={"mask_unit": 4, "patch_size": 4},
                ),
            ),
            standing="extrapolation",
            place="Fig. 3 (b) of SimMIM, scaled to the image",
            refuted_by="probes that are no better at the smaller distance",
            version=2,
            ceiling=1.0,
            each=("dataset", "mask_ratio"),
        ),
    },
    forecasts=tuple(
        Forecast(
            experiment=grid,
            metric=linear_probe,
            where={"token": "mean", "view": "unmasked"},
            # Images have 8 pixels a side in all of their worlds.
            score=lambda factors: ridge(8, *mask_of(factors)),
            reason="nearness of the mean distance to the nearest visible pixel to "
            "0.074 of the image's side",
        )
        for grid in (MASK_UNIT_BY_PATCH_SIZE, FORECAST_GRID)
    ),
)
