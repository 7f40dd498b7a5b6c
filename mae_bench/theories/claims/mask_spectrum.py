"""Zhang et al. 2022, Sec. 4: the mask graph's spectrum bounds the linear probe.

With the uniformity term U-MAE's loss is bounded from below by a spectral contrastive
loss on the mask graph, whose minimiser is spanned by the top k eigenvectors of the
graph that links views of one target. What it leaves to a linear classifier is at most
c1 T_k + c2 alpha (Theorem 4.1), with T_k the squared eigenvalues beyond the k-th and
alpha the probability that a mask changes the label. More masking is said to connect
more views, which lowers T_k, and to change more labels, which raises alpha: hence a
best ratio. That U-MAE's bound orders the ratios of MAE too is assumed.
"""

from collections.abc import Mapping
from typing import Literal

from mae_bench.experiments.graph_forecast import GRAPH_FORECAST
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.spectral_limit import SPECTRAL_LIMIT
from mae_bench.metrics.class_similarity import class_similarity
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.mask_connectivity import mask_connectivity
from mae_bench.metrics.spectral_descent import spectral_descent
from mae_bench.predictions import Control, Form
from mae_bench.predictions.association import Association
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, Standing, acted_on


def _forecast(target: str, sign: Literal[1, -1], words: str) -> Prediction:
    return Prediction(
        claim=f"over mask ratios the linear probe falls where {words} rises",
        form=Association(
            margin=0.2,
            x={"metric": "mask_connectivity", "target": target},
            y={"metric": "linear_probe", "token": "mean"},
            along=("mask_ratio",),
            sign=sign,
        ),
        margin_reason=acted_on("a rank correlation of 0.2"),
        experiment=GRAPH_FORECAST,
        metric=linear_probe,
        against=mask_connectivity,
        where={"stop": 1.0},
        control=Control(
            reason="no mask has shaped the untrained encoder: every ratio has the same",
            where={"stop": 0.0},
        ),
        standing="extrapolation",
        place="Theorem 4.1, with c1 = c2 = 1",
        refuted_by="a rank correlation with the bound that is not negative",
    )


_ELSEWHERE = {
    "tail": "T_k is the same at a ratio and its complement, and so has no trend",
    "labelling_error": "the labelling error only grows: a smaller view says less",
}


def _of_ratio(
    target: str,
    form: Form,
    margin_reason: str,
    claim: str,
    standing: Standing = "extrapolation",
    version: int = 1,
) -> Prediction:
    other = "labelling_error" if target == "tail" else "tail"
    return Prediction(
        claim=claim,
        form=form,
        margin_reason=margin_reason,
        experiment=GRAPH_FORECAST,
        metric=mask_connectivity,
        where={"stop": 0.0, "target": target},  # of the masks: no weight is read
        control=Control(reason=_ELSEWHERE[other], where={"target": other}),
        standing=standing,
        place="Sec. 4, on the mask ratio",
        refuted_by="the exact spectrum and Bayes error of a finite world",
        version=version,
    )


def _similarity(target: str, whose: str) -> Prediction:
    """Connectivity in the soft sense, by features, as the paper estimates it."""
    return Prediction(
        claim=f"features of images of {whose} become more alike as more is masked",
        form=Trend(margin=0.05, factor="mask_ratio"),
        margin_reason=acted_on("a twentieth of a cosine"),
        experiment=MASK_RATIO,
        metric=class_similarity,
        where={
            "dataset": "gaussian_tree",
            "view": "unmasked",
            "token": "mean",
            "target": target,
        },
        control=Control(
            reason="of independent spins no mask leaves views that share a target "
            "beyond chance: there is nothing to connect",
            where={"dataset": "ising"},
        ),
        standing="extrapolation",
        place="Sec. 4: intra- and inter-class connectivity against the mask ratio",
        refuted_by="features that are as alike, or less, at larger ratios",
    )


MASK_SPECTRUM: Mapping[str, Prediction] = {
    "Z8": _forecast("forecast", 1, "T_k + alpha"),
    "Z8-tail": _forecast("tail", -1, "T_k alone"),
    "Z8-alpha": _forecast("labelling_error", -1, "the labelling error alone"),
    "Z8-tail-falls": _of_ratio(
        "tail",
        Trend(0.5, "mask_ratio", "decreasing", monotone=False),
        acted_on("half an eigenvalue of 1"),
        "more masking connects more views: T_k falls on a line through the ratios, by "
        "half an eigenvalue of 1 or more (hard reading: views share equal targets)",
        version=2,
    ),
    "Z8-sharing": _of_ratio(
        "sharing",
        Trend(margin=0.01, factor="mask_ratio"),
        acted_on("one pair of images in a hundred"),
        "two images share their masked part more often at larger ratios",
    ),
    "Z8-alpha-rises": _of_ratio(
        "labelling_error",
        Trend(margin=0.1, factor="mask_ratio"),
        acted_on("one label in ten"),
        "more masking changes the label more often",
        "derived",
    ),
    "Z8-complement": _of_ratio(
        "tail",
        Equality(margin=1e-5, value={"mask_ratio": 0.25}, exact={"mask_ratio": 0.75}),
        "float error, of the table and of eigenvalues",
        "T_k is the same at a ratio and at its complement: A_M is transposed",
        "derived",
    ),
    "Z8-intra": _similarity("intra", "one class"),
    "Z8-inter": _similarity("inter", "different classes"),
    "Z11": Prediction(
        claim="a free encoder that descends L_align / 2 + lambda L_unif spans the "
        "top k eigenvectors of A_aug, at every k with a gap",
        form=Equality(margin=0.01, value={}, exact=0.0, along=("bottleneck", "lamb")),
        margin_reason="the exact angle is 0; 0.01 radians are left to the descent's "
        "last steps",
        experiment=SPECTRAL_LIMIT,
        metric=spectral_descent,
        where={"target": "angle"},
        control=Control(
            reason="a random table, before descent, spans another space",
            where={"target": "angle_start"},
        ),
        standing="theorem",
        place="the spectral contrastive bound of U-MAE, before Theorem 4.1",
        refuted_by="an angle above rounding",
    ),
}
