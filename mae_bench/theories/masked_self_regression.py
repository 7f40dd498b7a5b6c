"""Wortsman Zurich et al. 2026: each coordinate regressed on the rest, at large n and d.

Unlike ``over_parameterisation``, which has one target and random masks on the inputs,
this is about the matrix of all coordinates' regressions.
"""

from functools import partial

from mae_bench.experiments.self_regression import SELF_REGRESSION
from mae_bench.metrics.direction_overlap import direction_overlap
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.theories import Prediction, Theory

_FOUND, _COMPONENTS = {"target": "regressions"}, {"target": "components"}
_EVEN = {"noise_ratio": 1.0}
_UNEVEN = {"noise_ratio": 4.0, "samples": 288}
_in_grid = partial(Prediction, experiment=SELF_REGRESSION, metric=direction_overlap)

MASKED_SELF_REGRESSION = Theory(
    paper="Wortsman Zurich, Gerace, Loureiro & Lu 2026, arXiv 2601.23208 (only its "
    "abstract could be read: thresholds and worlds are ours)",
    summary=(
        "Each coordinate is predicted from all others by ridge regression, which gives "
        "one matrix of predictors with a zero diagonal. As samples and dimensions grow "
        "in proportion, its generalisation error and its spectrum have exact limits. "
        "With a spiked covariance an outlying eigenvalue appears only above a critical "
        "strength of the spike (Baik-Ben Arous-Péché). In some structured worlds it "
        "finds the structure where principal components do not."
    ),
    assumptions=(
        "linear predictors with a ridge, one coordinate masked at a time",
        "samples and dimensions tend to infinity in proportion",
    ),
    predictions={
        "X1": _in_grid(
            claim="two samples a pixel find a spike as strong as the noise: the "
            "leading direction of the regressions has a squared overlap above 0.15",
            form=Contrast(0.15, treatment=_FOUND, baseline=0.0),
            margin_reason="half of the limit, 0.33; 144 pixels leave some 0.28, "
            "with 0.04 over ten fits",
            where={**_EVEN, "spike": 1.0, "samples": 288},
            control=Control(
                reason="with half a sample a pixel it is below the threshold",
                where={**_EVEN, "spike": 1.0, "samples": 72},
            ),
            standing="derived",
            place="abstract: a transition of Baik, Ben Arous & Péché; that its "
            "threshold is that of components, (d / n)^1/2, is ours",
            refuted_by="a spike above the threshold that is not found",
        ),
        "X1-exact": _in_grid(
            claim="in even noise the squared overlap is (1 - g/s^2) / (1 + g/s) of "
            "g = d/n beyond s^2 = g, and 0 below it, to 0.12 at every spike and n",
            form=Equality(
                0.12,
                value=_FOUND,
                exact={"target": "limit"},
                along=("spike", "samples"),
            ),
            margin_reason="144 pixels are off by 0.05 near the threshold, ten fits by "
            "0.04",
            where=_EVEN,
            control=Control(
                reason="uneven noise hides the direction: this is not its limit",
                where=_UNEVEN,
            ),
            standing="derived",
            place="ours: the matrix has the sample covariance's eigenvectors",
            refuted_by="an overlap below the threshold, or another one above it",
        ),
        "X1-outlier": _in_grid(
            claim="beyond the threshold the largest eigenvalue of the regressions is "
            "1 - 1 / (m (l + ridge)), l = (1 + s)(1 + g/s), to 0.015",
            form=Equality(
                0.015,
                value={"target": "eigenvalue"},
                exact={"target": "eigenvalue_limit"},
                along=("spike",),
            ),
            margin_reason="a third of the way to the edge, which is 0.05 below at s = "
            "2; ten fits leave 0.003",
            where={**_EVEN, "samples": 288, "spike": (2.0, 4.0)},
            control=Control(
                reason="it has left the bulk: it is not the bulk's edge",
                form=Equality(
                    0.015,
                    value={"target": "eigenvalue"},
                    exact={"target": "edge"},
                    along=("spike",),
                ),
            ),
            standing="derived",
            place="abstract: an outlying eigenvalue; the formula is ours",
            refuted_by="an eigenvalue inside the bulk, or elsewhere",
        ),
        "X2": _in_grid(
            claim="in uneven noise the regressions find a direction that components do "
            "not: 0.15 more of squared overlap at a spike of 2",
            form=Contrast(0.15, treatment=_FOUND, baseline=_COMPONENTS),
            margin_reason="the population's matrix has the direction itself; of 225 "
            "pixels 0.27 against 0.02",
            where={**_UNEVEN, "spike": 2.0},
            control=Control(
                reason="in even noise both have the same eigenvectors",
                where={**_EVEN, "samples": 288},
            ),
            standing="derived",
            place="abstract: regimes where it beats principal components; that noise "
            "of unequal variances is one is ours",
            refuted_by="components that find as much",
        ),
        "X2-scale": _in_grid(
            claim="what it finds beyond components is the pixels' scale: components of "
            "the correlations find as much in uneven noise, to 0.08 at every spike",
            form=Equality(
                0.08,
                value=_FOUND,
                exact={"target": "scaled_components"},
                along=("spike",),
            ),
            margin_reason="twice what ten fits of 144 pixels leave, 0.04",
            where=_UNEVEN,
            control=Control(
                reason="those of the covariances do not",
                form=Equality(0.08, value=_FOUND, exact=_COMPONENTS, along=("spike",)),
            ),
            standing="derived",
            place="ours: a rival that costs no regression",
            refuted_by="a direction that correlations do not tell as well",
        ),
    },
)
