"""Bisulco et al. 2025: what a linear MAE keeps is what patches tell of each other.

With Balestriero & LeCun 2024, whose linear problem is the same.
"""

from collections.abc import Mapping
from functools import partial

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.ising_boundary import ISING_BOUNDARY
from mae_bench.experiments.linear_noise import LINEAR_NOISE
from mae_bench.experiments.linear_theory import LINEAR_THEORY
from mae_bench.experiments.variance_subspaces import VARIANCE_SUBSPACES
from mae_bench.metrics.boundary_share import boundary_share
from mae_bench.metrics.closed_form_gap import closed_form_gap
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.subspace_accuracy import subspace_accuracy
from mae_bench.oracles.forecasting import mask_of
from mae_bench.oracles.linear_reach import linear_reach
from mae_bench.predictions import Control
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Forecast, Prediction, Theory, acted_on
from mae_bench.theories.claims.adaptive_basis import ADAPTIVE_BASIS
from mae_bench.theories.claims.patch_size import PATCH_SIZE

_GRID = ("dataset", "spectrum", "rank", "mask_ratio")
_PIXELS, _FIFTH = 0.2, "a fifth of a pixel of reach"
_FIELD = {"dataset": "gaussian_field", "spectrum": "exponential"}
_in_grid = partial(Prediction, experiment=LINEAR_THEORY, metric=closed_form_gap)

_PREDICTIONS: Mapping[str, Prediction] = {
    "B1": _in_grid(
        claim="a trained linear MAE comes within 1 % of the closed form's loss, in "
        "every world, at every ratio and rank (margin: float error)",
        form=Bound(
            margin=1e-6, value={"target": "loss"}, limit=0.01, along=_GRID, sign=-1
        ),
        margin_reason="float error: the tolerance of training, 1 %, is the limit",
        where={},
        control=Control(
            reason="the principal components are the optimum where nothing is hidden, "
            "and are not that of masked images",
            form=Bound(
                margin=1e-6,
                value={"target": "loss_pca"},
                limit=0.01,
                along=_GRID,
                sign=-1,
            ),
        ),
        standing="theorem",
        place="Theorem 1",
        refuted_by="a gap that stays, anywhere on the grid",
    ),
    "B1-subspace": _in_grid(
        claim="the decoder of a trained linear MAE spans the top eigenvectors of "
        "C V⁻¹ C: at rank 8 the mean squared cosine is 0.99 or more everywhere "
        "(margin: float error)",
        form=Bound(margin=1e-6, value={"target": "overlap"}, limit=0.99, along=_GRID),
        margin_reason="float error: the tolerance of training, 0.01, is in the limit",
        where={"rank": 8},
        control=Control(
            reason="masks turn the optimum of the field away from the principal axes",
            form=Bound(
                margin=1e-6, value={"target": "overlap_pca"}, limit=0.99, along=_GRID
            ),
        ),
        standing="theorem",
        place="Theorem 1",
        refuted_by="another subspace, anywhere on the grid",
    ),
    "B2": _in_grid(
        claim="the more is masked, the less the code is the principal subspace: what "
        "patches share is preferred to what varies most",
        form=Trend(margin=0.009, factor="mask_ratio", direction="decreasing"),
        margin_reason="half of what the closed form says, 0.019",
        where={**_FIELD, "rank": 8, "target": "overlap_pca"},
        control=Control(
            reason="in the whitened field C and V commute: PCA at every ratio",
            where={"spectrum": "whitened"},
        ),
        standing="theorem",
        place="Sec. on linear models, from Theorem 1",
        refuted_by="the principal subspace at every ratio in a field that is not white",
    ),
    "B2-null": _in_grid(
        claim="of data that are white within patches the code is the principal "
        "subspace at every ratio",
        form=Equality(
            margin=0.01,
            value={"target": "overlap_pca"},
            exact=1.0,
            along=("mask_ratio",),
        ),
        margin_reason="exact is 1; a hundredth is left to training",
        where={"dataset": "gaussian_field", "spectrum": "whitened", "rank": 8},
        control=Control(
            reason="within patches of the exponential field pixels are correlated",
            where={"spectrum": "exponential"},
        ),
        standing="derived",
        place="Theorem 1 with D = I",
        refuted_by="an overlap that falls with the ratio",
    ),
    "B3": Prediction(
        claim="the encoder favours pixels on the rims of patches: a fiftieth more "
        "weight there than even weights would have",
        form=Contrast(margin=0.02, treatment={}, baseline=1.0),
        margin_reason=acted_on("a fiftieth of an even weight"),
        experiment=ISING_BOUNDARY,
        metric=boundary_share,
        where={"coupling": (0.1, 0.2, 0.3, 0.4)},
        control=Control(
            reason="without coupling no patch tells anything of another",
            where={"coupling": 0.0},
        ),
        standing="derived",
        place="the Ising experiment",
        refuted_by="interior pixels with as much weight",
        version=2,
        each=("coupling",),
    ),
    "B3-range": Prediction(
        claim="the shorter the range of correlations, the more the rims are favoured",
        form=Trend(
            margin=0.02,
            factor="coupling",
            direction="decreasing",
            levels=(0.1, 0.2, 0.3, 0.4),
        ),
        margin_reason=acted_on("a fiftieth of an even weight"),
        experiment=ISING_BOUNDARY,
        metric=boundary_share,
        where={},
        control=Control(
            reason="without coupling no rim is favoured: from J = 0 the share rises",
            form=Trend(
                margin=0.02,
                factor="coupling",
                direction="decreasing",
                levels=(0.0, 0.1),
            ),
        ),
        standing="extrapolation",
        place="the Ising experiment; reading: the share on rims falls with J",
        refuted_by="rims that are favoured as much, or more, at large J",
    ),
    "B4": _in_grid(
        claim="without a bottleneck, the more is masked, the farther a linear MAE "
        "reaches",
        form=Trend(margin=_PIXELS, factor="mask_ratio"),
        margin_reason=acted_on(_FIFTH),
        where={**_FIELD, "rank": 64, "target": "radius"},
        control=Control(
            reason="a bottleneck is global at every ratio", where={"rank": 8}
        ),
        standing="derived",
        place="closed form; for networks, the Jacobian analysis on CIFAR-10",
        refuted_by="a reach that is flat in the ratio or falls with it",
    ),
    "B-D1": _in_grid(
        claim="with a bottleneck of 8 the reach in the field falls with the ratio: the "
        "principal axes, its limit at low ratios, are global already",
        form=Trend(margin=0.05, factor="mask_ratio", direction="decreasing"),
        margin_reason="half of what the closed form says, 0.1 pixels",
        where={**_FIELD, "rank": 8, "target": "radius"},
        control=Control(reason="at full rank the reach grows", where={"rank": 64}),
        standing="derived",
        place="closed form of Theorem 1; the paper's words say the opposite",
        refuted_by="a reach that grows with the ratio at rank 8 as well",
    ),
    "R1": Prediction(
        claim="the last fifth of the variance tells the class better than the first "
        "nine tenths, by a point or more",
        form=Contrast(
            margin=0.01, treatment={"target": "bottom"}, baseline={"target": "top"}
        ),
        margin_reason=acted_on("a point of accuracy"),
        experiment=VARIANCE_SUBSPACES,
        metric=subspace_accuracy,
        where={"dataset": "digits"},
        control=Control(
            reason="the class of a tree is its root, which moves the pixels most",
            where={"dataset": "gaussian_tree"},
        ),
        standing="extrapolation",
        place="Balestriero & LeCun 2024, Fig. 1: TinyImageNet; here digits of 8 pixels",
        refuted_by="the first nine tenths telling as much or more",
        ceiling=1.0,
    ),
    "R3": Prediction(
        claim="Gaussian noise on the pixels leaves the code the principal subspace, "
        "whatever its strength: it cannot align it with a task",
        form=Equality(
            margin=0.01,
            value={"target": "overlap_pca"},
            exact=1.0,
            along=("noise_std",),
        ),
        margin_reason="exact is 1; a hundredth is left to training",
        experiment=LINEAR_NOISE,
        metric=closed_form_gap,
        where={"mask_ratio": 0.0},
        control=Control(
            reason="masks change the eigenvectors, where pixels of a patch correlate",
            where={"mask_ratio": 0.9},
        ),
        standing="theorem",
        place="Balestriero & LeCun 2024: C and C + σ² I commute",
        refuted_by="another subspace at some noise",
    ),
}

SPATIAL_CORRELATIONS = Theory(
    paper="Bisulco, Ramesh, Balestriero & Chaudhari, ICCV 2025, arXiv 2508.15404",
    summary=(
        "A linear MAE has an optimum in closed form: with C the covariance of pixels, "
        "D its blocks on patches and V = (1-m) C + m D, the code spans the top "
        "eigenvectors of C V⁻¹ C. Where the plain autoencoder takes what varies most, "
        "the masked one takes what patches tell of each other. Ratio and patch size "
        "choose the range of the correlations that are kept. Gaussian noise changes "
        "no eigenvector and can do nothing of the kind (Balestriero & LeCun 2024)."
    ),
    assumptions=(
        "linear encoder and decoder, patches masked independently, loss on all pixels",
        "second moments are all that is known, and the minimum is reached",
    ),
    predictions={**_PREDICTIONS, **PATCH_SIZE, **ADAPTIVE_BASIS},
    forecasts=(
        Forecast(
            experiment=FORECAST_GRID,
            metric=linear_probe,
            where={"token": "mean"},
            score=lambda at: linear_reach(str(at["dataset"]), *mask_of(at)),
            reason="the reach of the best linear map; classes are spread as far",
        ),
    ),
    unmeasured={
        "B5-network": "the patch sets the tokens' grid, and a token that feels its own "
        "patch alone reaches farther in a larger one: no reach is left to compare",
        "B6": "tasks of graded range (Gabor energies, depth) need larger images",
        "B12": "fine-tuning costs a training for each number of frozen layers",
        "R2": "the loss of runs as short as these has no plateau to learn after",
        "R4": "masks' benefit by data set: a survey without a predicted sign",
    },
)
