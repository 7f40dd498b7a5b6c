"""Wettig et al. 2023: a mask ratio is two things, of which one hurts and one helps."""

from functools import partial

from mae_bench.experiments.ratio_factors import RATIO_FACTORS
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory

_TRAINED = {"stop": 1.0}
_PROBE = {"view": "unmasked", "token": "mean", "target": ""}
_UNTRAINED = Control(
    reason="before training nothing was hidden and nothing told", where={"stop": 0.0}
)
_in_grid = partial(
    Prediction,
    experiment=RATIO_FACTORS,
    metric=linear_probe,
    control=_UNTRAINED,
    standing="extrapolation",
)

CORRUPTION_AND_PREDICTION = Theory(
    paper="Wettig, Gao, Zhong & Chen, EACL 2023, arXiv 2202.08005 (its abstract was "
    "read; it is of language, the transfer to images is ours)",
    summary=(
        "A mask ratio sets two things at once: how much of the input is corrupted, and "
        "how many predictions a step is trained on. More corruption makes the task "
        "harder and the features worse. More predictions make a step worth more and "
        "the features better. The best ratio is where the two balance. Larger models "
        "bear more corruption, and so want higher ratios."
    ),
    assumptions=(
        "the two can be set apart: a prediction does not depend on the others",
        "all steps are as many, whatever is predicted in them",
    ),
    predictions={
        "WE1": _in_grid(
            claim="with 4 patches told, hiding 12 of 16 in place of 4 costs the probe "
            "a point or more",
            form=Contrast(
                0.01, treatment={"mask_ratio": 0.25}, baseline={"mask_ratio": 0.75}
            ),
            margin_reason="a point is four images of 360, and images are paired",
            where={"prediction_ratio": 0.25, **_TRAINED, **_PROBE},
            place="abstract: corruption hurts",
            refuted_by="features that are as good, or better, the more is hidden",
        ),
        "WE2": _in_grid(
            claim="with 12 of 16 patches hidden, telling all of them in place of 4 "
            "gains the probe a point or more",
            form=Contrast(
                0.01,
                treatment={"prediction_ratio": 0.75},
                baseline={"prediction_ratio": 0.25},
            ),
            margin_reason="that of WE1, on the same images",
            where={"mask_ratio": 0.75, **_TRAINED, **_PROBE},
            place="abstract: more predictions help",
            refuted_by="features that are as good with a third of the predictions",
        ),
    },
    unmeasured={
        "WE3": "that larger models want higher ratios: of regressions it is "
        "over_parameterisation/M3; of networks it asks for sizes that take minutes",
    },
)
