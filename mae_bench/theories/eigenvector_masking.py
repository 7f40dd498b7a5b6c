"""Bizeul et al. 2025: mask principal components of images, not patches."""

from functools import partial

from mae_bench.experiments.eigenvector_masks import EIGENVECTOR_MASKS
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.theories import Prediction, Theory

_MEAN = {"view": "unmasked", "token": "mean", "target": ""}
_TRAINED, _UNTRAINED = {"stop": 1.0}, {"stop": 0.0}
_in_grid = partial(
    Prediction,
    experiment=EIGENVECTOR_MASKS,
    metric=linear_probe,
    standing="extrapolation",
)


def _above(patch_size: int, patches: str) -> Prediction:
    """That PMAE is above MAE at a size of patches, on average over both ratios."""
    return _in_grid(
        claim=f"of digits in {patches}, a probe of PMAE is a point or more above one "
        "of MAE, on average over ratios of 0.25 and 0.75",
        form=Contrast(0.01, treatment={"method": "pmae"}, baseline={"method": "mae"}),
        margin_reason="published are 14 points on average; a point is three images of "
        "360",
        where={"patch_size": patch_size, **_TRAINED, **_MEAN},
        control=Control(
            reason="before training both are the same encoder", where=_UNTRAINED
        ),
        place="abstract: 38 % or 14 points above MAE of 8 x 8 patches; here at equal "
        "steps and ratios, not at each method's best",
        refuted_by="an MAE that is as good",
    )


EIGENVECTOR_MASKING = Theory(
    paper="Bizeul et al. 2025, arXiv 2502.06314 (PMAE; its README and settings were "
    "read)",
    summary=(
        "A masked patch may be told from its rim or lost altogether, and neither asks "
        "for what is in the image. Principal components are global. Masking a random "
        "set of them, of a given share of the variance, and reconstructing it from the "
        "others hence asks for more high-level features. It is better for "
        "classification, and less sensitive to the ratio."
    ),
    assumptions=(
        "components are uncorrelated: only what is not linear tells one from another",
        "share of the variance measures how much is hidden",
    ),
    predictions={
        "E1-coarse": _above(4, "four patches of 4 x 4 pixels"),
        "E1-fine": _above(2, "sixteen patches of 2 x 2 pixels"),
        "E2": _in_grid(
            claim="a probe of PMAE is the same with a quarter and three quarters of "
            "the variance hidden, to 3 points, in sixteen patches",
            form=Equivalence(
                0.03,
                Contrast(
                    0.03, treatment={"mask_ratio": 0.75}, baseline={"mask_ratio": 0.25}
                ),
            ),
            margin_reason="nine images of 360; MAE's published range over ratios is "
            "ten points",
            where={"method": "pmae", "patch_size": 2, **_TRAINED, **_MEAN},
            control=Control(reason="MAE hangs on its ratio", where={"method": "mae"}),
            place="abstract: less sensitive to the ratio",
            refuted_by="a PMAE that hangs on its ratio",
        ),
    },
    unmeasured={
        "E1-size": "the published worlds (CIFAR-10, TinyImageNet, MedMNIST) and sizes: "
        "none comes with the packages",
    },
)
