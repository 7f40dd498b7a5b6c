"""K5 to K13 of Kong et al. 2023: which masks give a high-level representation.

Theorem 2 is of the encoder of the visible part, in worlds whose every mechanism can be
inverted. So the encoder is read under its own masks, each latent as a share of what can
be known of it there, in two worlds: ``invertible_tree`` fulfils Assumption 1 to the
letter, for any leaf tells all its ancestors; in ``random_hierarchy`` four children
together tell their parent, and one alone says only something of it.

Beside them stand numbers that end in ``-tree``, of whole images of ``gaussian_tree``,
where a child has two numbers of its parent's, and noise, and determines none of them;
and in ``-size``, of that world's encoders under their own masks, in grids of 16 and of
64 patches.
"""

from collections.abc import Mapping
from dataclasses import replace

from mae_bench.experiments.grid_size import GRID_SIZE, HIGH, LOW
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.experiments.sub_trees import SUB_TREES
from mae_bench.metrics import Metric
from mae_bench.metrics.image_quality import image_quality
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.records.schema import Setting
from mae_bench.theories import ROOT_R2, Prediction, acted_on

Filters = dict[str, Setting | tuple[Setting, ...]]

_LEVELS = tuple(f"level_{level}" for level in range(4))
_OWN: Filters = {"dataset": ("invertible_tree", "random_hierarchy")}
_READ: Filters = {**_OWN, "view": "masked", "token": "mean"}
_NOT_LOWER = Control(
    reason="if the lowest level is kept better too, nothing was shifted upwards",
    where={"target": "level_2"},
)
_NO_STRUCTURE = Control(
    reason="of independent spins no ratio has a structure to reconstruct",
    where={"dataset": "ising"},
)
_FIFTIETH = "0.02 of an R2, or of what is knowable of it"
_RISING = (0.125, 0.25, 0.5, 0.75)
_BOTH, _IN_TREE = "in both worlds", "in the Gaussian tree"
_KNOWN = f"of what the visible part tells, {_BOTH}"
_WHOLE = "of whole images of the Gaussian tree"
_GRIDS = f"of what the visible part tells, {_IN_TREE} of 16 patches and in that of 64"


def _in_tree(own: Prediction, ceiling: float | None = None) -> Prediction:
    """The claim as it was first read: of whole images, in one world."""
    whole = {"view": "unmasked"} if "view" in own.where else {}
    metric: Metric = linear_r2 if own.metric is knowable_share else own.metric
    return replace(
        own,
        claim=own.claim.replace(_KNOWN, _WHOLE).replace(_BOTH, _IN_TREE),
        metric=metric,
        where={**own.where, "dataset": "gaussian_tree", **whole},
        ceiling=ceiling,
        each=(),
        version=1,
    )


def _at_sizes(own: Prediction) -> Prediction:
    """The claim in a Gaussian tree of two levels and in one of three."""
    return replace(
        own,
        claim=own.claim.replace(_KNOWN, _GRIDS),
        experiment=GRID_SIZE,
        where={**own.where, "dataset": "gaussian_tree"},
        each=("tree_depth",),
        size="tree_depth",
        version=1,
    )


def _like(level: Setting | tuple[Setting, ...]) -> Nearer:
    return Nearer(0.02, "mask_ratio", level=level, near=LOW, far=0.75)


def _unmasked(
    target: str, form: Trend, least: str, claim: str, refuted_by: str
) -> Prediction:
    return Prediction(
        claim=f"reconstructing unmasked images, {claim}, {_BOTH}",
        form=form,
        margin_reason=acted_on(least),
        experiment=MASK_RATIO,
        metric=image_quality,
        where={**_OWN, "target": target},
        control=_NO_STRUCTURE,
        standing="extrapolation",
        place="Fig. 5, Sec. 3.1",
        refuted_by=refuted_by,
        version=2,
        each=("dataset",),
    )


_K5 = Prediction(
    claim=f"the root is kept best, {_KNOWN}, at an intermediate mask ratio; both "
    "extremes, very low and very high, give lower-level representations",
    form=Peak(margin=0.02, factor="mask_ratio"),
    margin_reason=acted_on(_FIFTIETH),
    experiment=MASK_RATIO,
    metric=knowable_share,
    where={**_READ, "method": "mae", "target": "level_0"},
    control=_NOT_LOWER,
    standing="extrapolation",
    place="Sec. 2.3, takeaways; Table 1",
    refuted_by="a curve that is monotone in the ratio, or peaks at an extreme",
    version=2,
    ceiling=1.0,
    each=("dataset",),
    converged=True,
)
_K6 = Prediction(
    claim="a larger mask unit, the patch unchanged, gives a higher-level "
    f"representation: at ratio 0.75 the root is kept better, {_KNOWN}",
    form=Contrast(margin=0.02, treatment={"mask_unit": 4}, baseline={"mask_unit": 2}),
    margin_reason=acted_on(_FIFTIETH),
    experiment=MASK_UNIT_BY_PATCH_SIZE,
    metric=knowable_share,
    where={**_READ, "patch_size": 2, "mask_ratio": 0.75, "target": "level_0"},
    control=_NOT_LOWER,
    standing="extrapolation",
    # The text says that 32 pixels are too many, the table has them best.
    place="Sec. 3.3; Table 1, rows 6-8, which contradict the text",
    refuted_by="a root that is kept worse as the unit grows",
    version=2,
    ceiling=1.0,
    each=("dataset",),
    converged=True,
)
_K7 = Prediction(
    claim="the highest ratio behaves like the lowest: with 1 of 16 patches visible, "
    f"what is kept of the levels, {_KNOWN}, is nearer to that with 2 masked than to "
    "that at 0.75",
    form=_like(HIGH),
    margin_reason=acted_on(_FIFTIETH),
    experiment=MASK_RATIO,
    metric=knowable_share,
    where={**_READ, "target": _LEVELS},
    control=Control(
        reason="ratio 0.5 is intermediate, and no more like the lowest than like 0.75",
        form=_like(0.5),
    ),
    standing="extrapolation",
    place="contributions; Sec. 3",
    refuted_by="a profile at the highest ratio that is nearer to that at 0.75",
    version=2,
    each=("dataset",),
    converged=True,
)
_STRUCTURE = _unmasked(
    "ssim",
    Trend(0.01, "mask_ratio", "increasing", _RISING, monotone=False),
    "0.01 of structural similarity",
    "the structural similarity rises with the ratio, on a line from 0.125 to 0.75",
    "a structural similarity that falls with the ratio",
)
_PIXELS = _unmasked(
    "psnr",
    Trend(0.5, "mask_ratio", "decreasing", _RISING, monotone=False),
    "half a decibel",
    "the signal-to-noise ratio of the pixels falls with the mask's, on a line from "
    "0.125 to 0.75, by half a decibel or more",
    "pixels that are reproduced as well or better",
)
_K12 = Prediction(
    claim="masks that follow the hierarchy, whole sub-trees, give higher-level "
    f"representations than random ones of the same ratio: of the root, {_KNOWN}",
    form=Contrast(
        margin=0.02,
        treatment={"mask_family": "aligned"},
        baseline={"mask_family": "random"},
    ),
    margin_reason=acted_on(_FIFTIETH),
    experiment=SUB_TREES,
    metric=knowable_share,
    where={**_READ, "target": "level_0"},
    control=_NOT_LOWER,
    standing="extrapolation",
    place="Sec. 2.3, 3.6; Fig. 4 (c)",
    refuted_by="random masks that are as good or better",
    version=2,
    ceiling=1.0,
    each=("dataset",),
    converged=True,
)
_K13 = Prediction(
    claim="a very high ratio keeps low-level information as a very low one does: the "
    f"lowest latents are read as well, {_KNOWN}, with 1 of 16 patches visible as with "
    "2 masked",
    form=Equivalence(
        margin=0.05, form=Contrast(0.0, {"mask_ratio": HIGH}, {"mask_ratio": LOW})
    ),
    margin_reason=acted_on("0.05 of an R2, or of what is knowable of it"),
    experiment=MASK_RATIO,
    metric=knowable_share,
    where={**_READ, "target": "level_2"},
    control=Control(
        reason="the root, which is no low-level information, need not be alike",
        where={"target": "level_0"},
    ),
    standing="extrapolation",
    place="Sec. 3.6",
    refuted_by="lowest latents that are read much worse at the highest ratio",
    version=2,
    each=("dataset",),
    converged=True,
)

ABSTRACTION: Mapping[str, Prediction] = {
    "K5": _K5,
    "K5-tree": _in_tree(_K5, ROOT_R2),
    "K5-size": _at_sizes(_K5),
    "K6": _K6,
    "K6-tree": _in_tree(_K6, ROOT_R2),
    "K7": _K7,
    "K7-tree": _in_tree(_K7),
    "K7-size": _at_sizes(_K7),
    "K8-structure": _STRUCTURE,
    "K8-structure-tree": _in_tree(_STRUCTURE),
    "K8-pixels": _PIXELS,
    "K8-pixels-tree": _in_tree(_PIXELS),
    "K12": _K12,
    "K12-tree": _in_tree(_K12, ROOT_R2),
    "K13": _K13,
    "K13-tree": _in_tree(_K13),
}
