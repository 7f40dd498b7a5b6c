"""Shin et al. 2025: an MAE sorts the patches of an image long before it is trained."""

from functools import partial

from mae_bench.experiments.token_clusters import TOKEN_CLUSTERS
from mae_bench.metrics.token_clusters import token_clusters
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.theories import Prediction, Theory, acted_on

_in_grid = partial(
    Prediction,
    experiment=TOKEN_CLUSTERS,
    metric=token_clusters,
    standing="extrapolation",
    ceiling=1.0,
)


def _as_at_the_end(stop: float) -> Equivalence:
    return Equivalence(
        0.05,
        form=Contrast(0.05, treatment={"stop": stop}, baseline={"stop": 1.0}),
    )


SELF_GUIDED_MASKING = Theory(
    paper="Shin et al. 2025, arXiv 2507.19773 (self-guided MAE; its abstract was read)",
    summary=(
        "An MAE learns to cluster the patches of an image by what they have in common, "
        "and does so surprisingly early in its training. As the clusters are there "
        "long before the end, they can guide the masks: to hide a cluster whole makes "
        "the task harder and the features better, without labels or another network. "
        "Here the clusters are planted, and an index says how well they are found."
    ),
    assumptions=(
        "patches of an image have something in common, and more than their place",
        "clusters are those of k-means of the encoder's last tokens, as we read it",
    ),
    predictions={
        "SG1": _in_grid(
            claim="after a tenth of the steps the tokens of an image cluster by its "
            "areas as well as at the end, within 0.05 of the Rand index",
            form=_as_at_the_end(0.1),
            margin_reason="about a tenth of an index of one half, which is as far as "
            "patches under such noise are foreseen to go",
            where={"target": "tokens"},
            control=Control(
                reason="untrained tokens must be worse, or there was nothing to learn",
                form=_as_at_the_end(0.0),
            ),
            place="abstract: patch clustering in a surprisingly early stage; how early "
            "is ours",
            refuted_by="tokens that go on to cluster better, or worse",
        ),
        "SG1-tokens": _in_grid(
            claim="at the end the tokens of an image cluster by its areas better than "
            "its patches do as they are, by 0.05 of the Rand index",
            form=Contrast(
                0.05, treatment={"target": "tokens"}, baseline={"target": "pixels"}
            ),
            margin_reason=acted_on("0.05 of the index, the margin of SG1"),
            where={"stop": 1.0},
            control=Control(
                reason="untrained tokens have looked at their like by chance alone",
                where={"stop": 0.0},
            ),
            place="abstract: MAE learns pattern-based patch-level clustering",
            refuted_by="tokens that are no better than pixels",
        ),
    },
    unmeasured={
        "SG2": "that masks guided by the clusters make better features: a method of "
        "its own, whose masks follow its own tokens",
    },
)
