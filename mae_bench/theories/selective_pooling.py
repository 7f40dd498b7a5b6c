"""Przewiezlikowski et al. 2025: what MAE knows is not where one reads it."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory


def _gain(method: str) -> Contrast:
    """Accuracy of one attending query, less that of the patches' mean."""
    return Contrast(
        0.01,
        treatment={"metric": attentive_probe.id, "method": method, "token": "patches"},
        baseline={"metric": linear_probe.id, "method": method, "token": "mean"},
    )


def _selective(dataset: str) -> Prediction:
    return Prediction(
        claim="a query that learns which patches to read gains a point or more of "
        "accuracy on MAE's patches over their mean",
        form=_gain("mae"),
        experiment=LEADERBOARD,
        metric=attentive_probe,
        against=linear_probe,
        where={"dataset": dataset, "view": "unmasked", "method": ("mae", "supervised")},
        control=Control(
            reason="a supervised encoder was trained to be read by one token, and has "
            "left nothing to select",
            form=_gain("supervised"),
        ),
        standing="extrapolation",
        place="abstract: aggregating patch tokens well improves MAE without changing "
        "it; read as one query under cross entropy against the mean token",
        refuted_by="a gain of less than a point, or a loss",
    )


def _more_than_joint(dataset: str) -> Prediction:
    return Prediction(
        claim="selecting patches gains a point or more on MAE, and less on SimCLR, "
        "whose pooled features the loss has shaped",
        form=_gain("mae"),
        experiment=LEADERBOARD,
        metric=attentive_probe,
        against=linear_probe,
        where={"dataset": dataset, "view": "unmasked", "method": ("mae", "simclr")},
        control=Control(
            reason="a joint embedding's loss acts on the pooled features: by the "
            "theory there is less to select",
            form=_gain("simclr"),
        ),
        standing="extrapolation",
        place="abstract: MAE's class token attends little to the patches that matter, "
        "joint embeddings' does; read as the gain of SimCLR below a point",
        refuted_by="no gain for MAE; void if SimCLR gains as well",
    )


SELECTIVE_POOLING = Theory(
    paper='Przewiezlikowski et al. 2025, "Beyond [cls]", arXiv 2412.03215',
    summary=(
        "The features of masked models are judged by how they are read. Nothing in "
        "MAE's loss asks a single token to gather what the image is of: its class "
        "token attends to itself, and to the patches evenly, so that reading it, or "
        "their mean, dilutes what a few patches know. Joint embeddings train the "
        "pooled features themselves, whose attention selects. So a read-out that "
        "learns which patches matter closes a part of the gap. Only the abstract was "
        "read; the reading as predictions is this project's."
    ),
    assumptions=(
        "one query, learned with the classifier on frozen patches, is selective "
        "pooling",
    ),
    predictions={
        "BC2": _selective("mnist"),
        "BC2-hierarchy": _selective("random_hierarchy"),
        "BC2-joint": _more_than_joint("mnist"),
        "BC2-joint-hierarchy": _more_than_joint("random_hierarchy"),
    },
    unmeasured={
        "BC1": "what the class token attends to: the instrument of attention leaves "
        "that token out",
    },
)
