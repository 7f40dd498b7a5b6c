"""Zhang et al. 2022: a masked autoencoder aligns views that share a target."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, Theory

_SHUFFLED = Control(
    reason="with lambda permuted within each seed there is nothing to rise",
    shuffle="lamb",
)
_GAIN = (
    "the published uniformity weight, lambda = 0.01, raises linear-probe accuracy over "
    "plain MAE by a point or more"
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
        # Reading of "much smaller than d": at most 0.4 d, on centred features.
        form=Contrast(margin=0.1, treatment={}, baseline=0.5, sign=-1),
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
        "Z4": _collapse("gaussian_tree"),
        "Z4-digits": _collapse("digits"),
        "Z5": Prediction(
            claim="a uniformity loss raises the effective rank: of centred features, "
            "on a token that it does not touch (on its own it is an identity)",
            form=Trend(margin=1.0, factor="lamb", direction="increasing"),
            experiment=UNIFORMITY,
            metric=effective_rank,
            where={"token": "mean", "target": "centred"},
            control=_SHUFFLED,
            standing="extrapolation",
            place="Fig. 1 (b, c)",
            refuted_by="a rank that is flat in lambda, or falls with it",
        ),
        "Z6": Prediction(
            claim=_GAIN,
            form=Contrast(
                margin=0.01, treatment={"lamb": 0.01}, baseline={"lamb": 0.0}
            ),
            experiment=UNIFORMITY,
            metric=linear_probe,
            where={"token": "mean"},
            control=_SHUFFLED,
            standing="extrapolation",
            place="tables of Sec. 5",
            refuted_by="no gain over three or more seeds",
        ),
        "Z6-digits": Prediction(
            claim=_GAIN,
            form=Contrast(
                margin=0.01, treatment={"method": "u_mae"}, baseline={"method": "mae"}
            ),
            experiment=LEADERBOARD,
            metric=linear_probe,
            where={"dataset": "digits", "method": ("mae", "u_mae"), "token": "mean"},
            control=Control(
                reason="with the methods permuted within each seed neither gains",
                shuffle="method",
            ),
            standing="extrapolation",
            place="tables of Sec. 5",
            refuted_by="no gain over three or more seeds",
        ),
    },
)
