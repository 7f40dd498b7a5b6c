"""Wortsman Zurich et al. 2026: each coordinate regressed on the rest, at large n and d.

Unlike ``over_parameterisation``, which has one target and random masks on the inputs,
this is about the matrix of all coordinates' regressions.
"""

from mae_bench.theories import Theory

MASKED_SELF_REGRESSION = Theory(
    paper="Wortsman Zurich, Gerace, Loureiro & Lu 2026, arXiv 2601.23208",
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
    predictions={},
    unmeasured={
        "X1": "no method learns the matrix of all coordinates' regressions, and the "
        "formula of the threshold could not be checked",
        "X2": "in which worlds it beats principal components could not be checked",
    },
)
