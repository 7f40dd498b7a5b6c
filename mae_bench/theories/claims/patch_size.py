"""Bisulco et al. 2025: how far a linear MAE reaches, by the size of its patch."""

from collections.abc import Mapping
from functools import partial

from mae_bench.experiments.linear_patch_size import LINEAR_PATCH_SIZE
from mae_bench.metrics.closed_form_gap import closed_form_gap
from mae_bench.predictions import Control
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, acted_on

_PIXELS, _FIFTH = 0.2, "a fifth of a pixel of reach"
_WHITE = Control(
    reason="a field of length 0.25 is all but white: nothing is out of the patch",
    where={"length": 0.25},
)
_SHORT = Control(
    reason="a patch longer than the correlations holds all that there is to reach",
    where={"length": 1.0},
)
_in_patches = partial(Prediction, experiment=LINEAR_PATCH_SIZE, metric=closed_form_gap)

PATCH_SIZE: Mapping[str, Prediction] = {
    "B5": _in_patches(
        claim="larger patches make a linear MAE reach farther, on a line through their "
        "sizes, in fields of long range",
        form=Trend(margin=_PIXELS, factor="patch_size", monotone=False),
        margin_reason=acted_on(_FIFTH),
        where={"length": 4.0, "target": "radius"},
        control=_SHORT,
        standing="extrapolation",
        place="Jacobian analysis on CIFAR-10; here of linear models",
        refuted_by="a reach that is flat in the patch or falls with it",
        version=2,
    ),
    "B5-short": _in_patches(
        claim="larger patches make a linear MAE reach farther, on a line through their "
        "sizes, in fields of short range as well: the paper states no condition",
        form=Trend(margin=_PIXELS, factor="patch_size", monotone=False),
        margin_reason=acted_on(_FIFTH),
        where={"length": 1.0, "target": "radius"},
        control=_WHITE,
        standing="extrapolation",
        place="Jacobian analysis on CIFAR-10; here of linear models",
        refuted_by="a reach that is flat in the patch or falls with it",
        version=2,
    ),
    "B5-share": _in_patches(
        claim="larger patches take a larger share of the weights out of the patch, in "
        "fields of short and of long range: on a line through the sizes",
        form=Trend(margin=0.1, factor="patch_size", monotone=False),
        margin_reason=acted_on("a tenth of all weights"),
        where={"length": (1.0, 4.0), "target": "out_of_patch_share"},
        control=_WHITE,
        standing="extrapolation",
        place="Jacobian analysis: out-of-patch integration, by share of the weights",
        refuted_by="a share that is flat in the patch or falls with it",
        version=3,
        each=("length",),
    ),
    "B-D2": _in_patches(
        claim="the reach is longest where the patch is about as long as the "
        "correlations: at length 4 it is below the best for patches of 1 and of 8",
        form=Peak(margin=0.1, factor="patch_size"),
        margin_reason="under half of what the closed form says, 0.25 pixels",
        where={"length": 4.0, "target": "radius"},
        control=_SHORT,
        standing="derived",
        place="closed form of Theorem 1",
        refuted_by="a reach that is monotone in the patch at length 4",
    ),
    "B-D2-short": _in_patches(
        claim="in fields of length 1 larger patches shorten the reach, on a line "
        "through their sizes",
        form=Trend(_PIXELS, "patch_size", "decreasing", monotone=False),
        margin_reason=acted_on(_FIFTH),
        where={"length": 1.0, "target": "radius"},
        control=Control(
            reason="at length 4 most patches are shorter than the correlations",
            where={"length": 4.0},
        ),
        standing="derived",
        place="closed form of Theorem 1",
        refuted_by="a reach that is flat in the patch or grows with it",
        version=2,
    ),
    "B-D3": _in_patches(
        claim="the share of the weights out of the patch falls as patches grow, even "
        "where the reach rises: a larger patch holds more of its surroundings",
        form=Trend(margin=0.1, factor="patch_size", direction="decreasing"),
        margin_reason=acted_on("a tenth of all weights"),
        where={"length": 4.0, "target": "out_of_patch_share"},
        control=Control(
            reason="the reach rises in the same cells", where={"target": "radius"}
        ),
        standing="derived",
        place="closed form of Theorem 1",
        refuted_by="a share that is flat in the patch or grows with it",
    ),
}
