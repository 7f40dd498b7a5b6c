"""Przewiezlikowski et al. 2025: what MAE knows is not where one reads it."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory, acted_on


def _gain(method: str) -> Contrast:
    """Accuracy of one attending query, less that of the patches' mean."""
    return Contrast(
        0.01,
        treatment={"metric": attentive_probe.id, "method": method, "token": "patches"},
        baseline={"metric": linear_probe.id, "method": method, "token": "mean"},
    )


_SELECTIVE = (
    "a query that learns which patches to read gains a point or more of accuracy on "
    "MAE's patches over their mean"
)
_MORE_THAN_JOINT = (
    "selecting patches gains a point or more on MAE, and less on SimCLR, whose pooled "
    "features the loss has shaped"
)


def _claim(claim: str, dataset: str, other: str, reason: str) -> Prediction:
    """That MAE gains, and another encoder does not, or less."""
    return Prediction(
        claim=claim,
        form=_gain("mae"),
        margin_reason=acted_on("a point of accuracy")
        + "; written down in sight of four seeds",
        experiment=LEADERBOARD,
        metric=attentive_probe,
        against=linear_probe,
        where={"dataset": dataset, "view": "unmasked", "method": ("mae", other)},
        control=Control(reason=reason, form=_gain(other)),
        standing="extrapolation",
        place="abstract: MAE's class token attends little to the patches that matter, "
        "joint embeddings' does; aggregating patches well improves MAE without "
        "changing it. Read as one query under cross entropy against the mean token",
        refuted_by="a gain of less than a point, or a loss",
    )


def _selective(dataset: str) -> Prediction:
    reason = "a supervised encoder was trained to be read by one token, and has left "
    return _claim(_SELECTIVE, dataset, "supervised", f"{reason}nothing to select")


def _more_than_joint(dataset: str) -> Prediction:
    reason = (
        "a joint embedding's loss acts on the pooled features: by the theory there "
    )
    return _claim(_MORE_THAN_JOINT, dataset, "simclr", f"{reason}is less to select")


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
