"""Hinojosa et al. 2024: masks should have a scale, that of band-passed noise."""

from functools import partial

from mae_bench.experiments.mask_colours import MASK_COLOURS
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.records.schema import Setting
from mae_bench.theories import Prediction, Theory, acted_on

_GREEN, _WHITE = {"mask_family": "green"}, {"mask_family": "random"}
_MEAN: dict[str, Setting] = {"view": "unmasked", "token": "mean", "stop": 1.0}
_in_grid = partial(
    Prediction,
    experiment=MASK_COLOURS,
    control=Control(
        reason="before training no mask has been drawn", where={"stop": 0.0}
    ),
    standing="extrapolation",
    place="abstract: green noise, the best of four colours; of images and networks "
    "far larger",
    ceiling=1.0,
)

COLOURED_MASKS = Theory(
    paper="Hinojosa, Liu & Ghanem, ECCV 2024, arXiv 2407.13036 (ColorMAE; its abstract "
    "was read)",
    summary=(
        "Which patches are masked matters, and no network is needed to choose them. "
        "Filtered noise gives masks whose parts have a size: low-passed (red) noise "
        "large ones, high-passed (blue) noise none, band-passed (green) noise parts of "
        "one size in between. Such masks leave a harder task than white ones, as a "
        "patch's neighbours are hidden with it, while something is visible "
        "everywhere. Green masks give the best encoders at the same ratio."
    ),
    assumptions=(
        "the grid is fine enough for parts of several patches",
        "the ratio is the same",
    ),
    predictions={
        "CM1": _in_grid(
            claim="masks of green noise keep the root better than white ones of the "
            "same ratio",
            form=Contrast(0.02, treatment=_GREEN, baseline=_WHITE),
            margin_reason=acted_on("0.02 of R2, as for other masks"),
            metric=linear_r2,
            where={**_MEAN, "target": "level_0"},
            refuted_by="a root that is kept as well, or better, by white masks",
        ),
        "CM1-class": _in_grid(
            claim="masks of green noise have a better linear probe than white ones of "
            "the same ratio",
            form=Contrast(0.01, treatment=_GREEN, baseline=_WHITE),
            margin_reason=acted_on("a point of accuracy"),
            metric=linear_probe,
            where={**_MEAN, "target": ""},
            refuted_by="a class that is told as well, or better, after white masks",
        ),
        **{
            f"CM1-{colour}": _in_grid(
                claim=f"masks of green noise keep the root better than {colour} ones",
                form=Contrast(0.02, treatment=_GREEN, baseline={"mask_family": colour}),
                margin_reason="that of CM1; green is said to be best, not by how much",
                metric=linear_r2,
                where={**_MEAN, "target": "level_0"},
                refuted_by=f"a root that {colour} masks keep as well",
            )
            for colour in ("red", "blue")
        },
    },
)
