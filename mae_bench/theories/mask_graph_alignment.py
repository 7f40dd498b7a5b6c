"""Zhang et al. 2022: a masked autoencoder aligns views that share a target."""

from collections.abc import Mapping

from mae_bench.experiments import Experiment
from mae_bench.experiments.decoder_inversion import DECODER_INVERSION
from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.input_noise import INPUT_NOISE
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.mask_graph_bound import MASK_GRAPH_BOUND
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.experiments.training_time import TRAINING_TIME
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.alignment_bound import alignment_bound
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.oracles.forecasting import graph_score, mask_of
from mae_bench.predictions import Control
from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.trend import Trend
from mae_bench.records.schema import TIERS, Setting, Settings
from mae_bench.theories import (
    ROOT_ACCURACY,
    Forecast,
    Prediction,
    Standing,
    Theory,
    acted_on,
)
from mae_bench.theories.claims.mask_spectrum import MASK_SPECTRUM
from mae_bench.theories.claims.matrix_information import MATRIX_INFORMATION
from mae_bench.theories.claims.uniformity_loss import UNIFORMITY_LOSS

_NEEDED = (
    "without masks, an autoencoder that sees all that it must predict, the linear "
    "probe is far lower: by five points or more"
)
_UNTRAINED = Control(
    reason="an untrained encoder has aligned nothing: if it is of low rank as well, "
    "the low rank is not the work of the loss",
    where={"method": "random_init"},
)


def _collapse(dataset: str) -> Prediction:
    return Prediction(
        claim="MAE features are dimensionally collapsed: their effective rank is well "
        "below half their width, while no image has the features of another",
        form=Contrast(margin=0.1, treatment={}, baseline=0.5, sign=-1),
        margin_reason='reading of "much smaller than d": at most 0.4 d, a tenth of the '
        "width below its half",
        experiment=LEADERBOARD,
        metric=effective_rank,
        where={
            "dataset": dataset,
            "method": "mae",
            "token": "mean",
            "target": "centred_share",
        },
        control=_UNTRAINED,
        standing="extrapolation",
        place="Sec. 3.3, Fig. 1",
        refuted_by="an effective rank near the width for plain MAE",
    )


def _above(
    better: str,
    worse: str,
    experiment: Experiment,
    dataset: str,
    margin: float,
    ceiling: float,
    claim: str,
    idle: Mapping[str, Setting],
    reason: str,
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Contrast(margin, treatment={"method": better}, baseline={"method": worse}),
        margin_reason=acted_on('five points of accuracy, which "far lower" is read as'),
        experiment=experiment,
        metric=linear_probe,
        where={
            "dataset": dataset,
            "method": (better, worse, idle["method"]),
            "token": "mean",
        },
        control=Control(
            reason=reason,
            form=Contrast(margin, treatment=idle, baseline={"method": worse}),
        ),
        standing="extrapolation",
        place="tables of Sec. 5" if worse == "mae" else "Sec. 1",
        refuted_by="no gain over three or more seeds",
        ceiling=ceiling,
    )


def _bound(slack: str, standing: Standing, claim: str) -> Prediction:
    return Prediction(
        claim=f"{claim} (the margin is float error)",
        form=Bound(margin=1e-5, value={}, limit=0.0, along=("stop",)),
        margin_reason="float error: both sides are summed over the whole world",
        experiment=MASK_GRAPH_BOUND,
        metric=alignment_bound,
        where={"rules": "random:8", "target": slack},
        control=Control(
            reason="views of one mask that share no target are not aligned: with them "
            "in place of the positive pairs a low loss must break the bound",
            where={"target": f"{slack}_unrelated"},
        ),
        standing=standing,
        place="Theorems 3.2 and 3.3",
        refuted_by="any checkpoint of any seed below the bound",
    )


def _rise(target: str, stops: tuple[float, ...], claim: str) -> Prediction:
    loss, aligned = {"target": "loss"}, {"target": target}
    return Prediction(
        claim=claim,
        form=Association(margin=0.5, x=loss, y=aligned, along=("stop",), sign=-1),
        margin_reason=acted_on("a rank correlation of one half"),
        experiment=MASK_GRAPH_BOUND,
        metric=alignment_bound,
        where={"rules": "random:8", "stop": stops},
        control=Control(
            reason="where the leaves are independent nothing can be predicted, and no "
            "fall of the loss can align anything",
            where={"rules": "random:64"},
        ),
        standing="extrapolation",
        place="Sec. 3.2, after Theorem 3.3",
        refuted_by="alignment that is constant or falls while the loss falls",
    )


_CHECKPOINTS = (0.05, 0.1, 0.25, 0.5, 1.0)
_ALIGNMENT = {
    "Z1": _bound(
        "slack",
        "theorem",
        "the loss is never below L_align / 2 - eps + 1/2, at any time of training",
    ),
    "Z1-sharp": _bound(
        "sharp_slack",
        "derived",
        "with the target itself for h_g(x2), so that no decoder need be inverted, the "
        "loss is never below 1 + L_align",
    ),
    "Z1-rise": _rise(
        "alignment",
        _CHECKPOINTS,
        "views that share a target are aligned more as the loss falls, from a "
        "twentieth of training on (untrained, a decoder says the same of all views)",
    ),
    "Z1-gap": _rise(
        "alignment_gap",
        (0.0, *_CHECKPOINTS),
        "alignment beyond that of views that share the mask alone rises as the loss "
        "falls, from the initial weights on",
    ),
    "Z2": Prediction(
        claim="features of two random masks of one image are aligned more, beyond "
        "those of different images, as training goes on: on a line through its "
        "checkpoints",
        form=Trend(margin=0.1, factor="stop", monotone=False),
        margin_reason=acted_on("a tenth of a cosine"),
        experiment=TRAINING_TIME,
        metric=alignment,
        where={
            "dataset": "gaussian_tree",
            "token": "mean",
            "target": "cosine_gap",
        },
        control=Control(
            reason="of independent spins two masks of one image share nothing beyond "
            "the patches that both show: no loss aligns them",
            where={"dataset": "ising"},
        ),
        standing="extrapolation",
        place="Sec. 3.2",
        refuted_by="no rise with training",
        version=2,
    ),
    "Z3": Prediction(
        claim="the less a decoder can be inverted on the targets (eps), the larger the "
        "gap between the loss and half the alignment loss",
        form=Association(
            margin=0.3,
            x={"target": "eps"},
            y={"target": "gap"},
            along=("decoder_depth", "decoder_embed_dim"),
        ),
        margin_reason=acted_on("a rank correlation of 0.3"),
        experiment=DECODER_INVERSION,
        metric=alignment_bound,
        where={"stop": 1.0},
        control=Control(
            reason="untrained decoders have the same sizes and no loss that was learnt",
            where={"stop": 0.0},
        ),
        standing="extrapolation",
        place="Assumption 3.1, Theorem 3.2",
        refuted_by="a gap that is unrelated to eps",
    ),
}


def _graph_score(factors: Settings) -> float | None:
    if factors["dataset"] != "gaussian_tree":
        return None
    ratio, unit, family = mask_of(factors)
    k = int(TIERS["quick"].settings["embed_dim"] or 0)
    return graph_score(ratio, unit, k, family)


MASK_GRAPH_ALIGNMENT = Theory(
    paper="Zhang, Wang & Wang, NeurIPS 2022, arXiv 2210.08344",
    summary=(
        "A mask splits an image into two complementary views; the pairs that occur "
        "are the edges of a bipartite mask graph. The reconstruction loss is bounded "
        "from below by an alignment loss between visible views that share a masked "
        "target (Theorems 3.2, 3.3), so MAE is a contrastive method without its "
        "uniformity term. It therefore avoids complete collapse but not dimensional "
        "collapse. U-MAE adds the missing term, the mean squared cosine between "
        "features of different images, which raises the rank and the linear probe."
    ),
    assumptions=(
        "the decoder can be approximately inverted on the targets (Assumption 3.1)",
        "outputs of unit norm",
        "masking seldom changes the label",
    ),
    predictions={
        **MASK_SPECTRUM,
        **_ALIGNMENT,
        "Z9": _above(
            "mae",
            "autoencoder",
            INPUT_NOISE,
            "gaussian_tree",
            0.05,
            ROOT_ACCURACY,
            _NEEDED,
            {"method": "denoising", "noise_std": 0.2},
            "with a little noise an autoencoder still sees all that it must predict",
        ),
        "Z4": _collapse("gaussian_tree"),
        "Z4-digits": _collapse("digits"),
        **UNIFORMITY_LOSS,
        **MATRIX_INFORMATION,
    },
    forecasts=tuple(
        Forecast(
            experiment=grid,
            metric=linear_probe,
            where={"token": "mean", "view": "unmasked"},
            score=_graph_score,
            reason="-(T_k + alpha) of the Gaussian tree, exactly, with k the width of "
            "the features; the graph of the random hierarchy is too large, and hardly "
            "two digits share a part",
        )
        for grid in (MASK_UNIT_BY_PATCH_SIZE, FORECAST_GRID)
    ),
    unmeasured={
        "Z7": "gains of fine-tuning need a fine-tuning protocol, which no metric has",
        "Z10": "no method has a uniformity loss beside SimMIM's",
    },
)
