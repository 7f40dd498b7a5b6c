"""Bizeul et al. 2025: mask principal components of images, not patches."""

from mae_bench.theories import Theory

EIGENVECTOR_MASKING = Theory(
    paper="Bizeul et al. 2025, arXiv 2502.06314 (PMAE)",
    summary=(
        "A masked patch may be told from its rim or lost altogether, and neither asks "
        "for what is in the image. Principal components are global. Masking a random "
        "set of them, of a given share of the variance, and reconstructing it from the "
        "others hence asks for more high-level features. It is better for "
        "classification, and less sensitive to the ratio."
    ),
    assumptions=(
        "components are uncorrelated: only what is not linear tells one from another",
        "share of the variance measures how much is hidden",
    ),
    predictions={},
    unmeasured={
        "E1": "no method masks principal components",
        "E2": "no method masks principal components",
    },
)
