"""Moreno-Muñoz et al. 2023: masked scores of all sizes add up to the likelihood."""

from mae_bench.theories import Theory

CUMULATIVE_MASKED_SCORE = Theory(
    paper="Moreno-Muñoz, Recasens & Hauberg, NeurIPS 2023, arXiv 2306.00520",
    summary=(
        "Let S(x; M) be the mean log probability of one of M masked coordinates given "
        "the visible ones, over all masks of size M. By the chain rule, averaged over "
        "all orders, the sum of S(x; M) over M = 1 to D is log p(x). Masked training "
        "with random sizes hence maximises the likelihood of the data. With a fixed "
        "ratio it maximises one slice of it, and is biased."
    ),
    assumptions=(
        "the model gives conditional densities, and they belong to one joint density",
        "masks of each size are uniform",
    ),
    predictions={},
    unmeasured={
        "G1": "an identity of any density: a test of it would be a test of arithmetic",
        "G2": "the methods give means of masked pixels and no densities to add up",
    },
)
