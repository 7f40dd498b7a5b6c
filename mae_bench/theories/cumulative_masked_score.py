"""Moreno-Muñoz et al. 2023: masked scores of all sizes add up to the likelihood."""

from functools import partial

from mae_bench.experiments.cumulative_score import CUMULATIVE_SCORE
from mae_bench.metrics.evidence import evidence
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.theories import Prediction, Theory

_FIELD, _CHAIN = {"dataset": "gaussian_field"}, {"dataset": "ar_chain"}
_LOST = {"target": "lost"}
_WHOLE = {"target": "log_likelihood"}
_SUM, _SINGLE = {"target": "cumulative"}, {"target": "single"}
_in_grid = partial(Prediction, experiment=CUMULATIVE_SCORE, metric=evidence)


def _more_is_lost(margin: float, masked: int) -> Contrast:
    """Evidence that one size of masks costs against all of them."""
    return Contrast(margin, treatment={"masked": masked}, baseline={"masked": 0})


CUMULATIVE_MASKED_SCORE = Theory(
    paper="Moreno-Muñoz, Recasens & Hauberg, NeurIPS 2023, arXiv 2306.00520 (only its "
    "abstract could be read: the averages over masks are ours)",
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
        "a bias shows where the model cannot be the truth; where it can, every slice "
        "is best at it",
    ),
    predictions={
        "G1": _in_grid(
            claim="the scores of masks drawn for each size, summed over all sizes, are "
            "the log likelihood, to 0.1 nats an image, of every model in both worlds",
            form=Equality(0.1, value=_SUM, exact=_WHOLE, along=("dataset", "masked")),
            margin_reason="four masks a size of 2,000 images: nine sizes with 0.008 "
            "each leave 0.024; four of these",
            where={},
            control=Control(
                reason="nine times the score of single pixels, the pseudo-likelihood, "
                "counts what is seen twice",
                form=Equality(
                    0.1, value=_SINGLE, exact=_WHOLE, along=("dataset", "masked")
                ),
            ),
            standing="theorem",
            place="abstract: the cumulative score is the log marginal likelihood; of "
            "any one density an identity, so that it tests our masks and conditionals",
            refuted_by="a sum that is not the likelihood",
        ),
        "G2": _in_grid(
            claim="seven of nine pixels masked, always, choose a model with 0.05 nats "
            "an image less of evidence than all sizes together, where none is right",
            form=_more_is_lost(0.05, 7),
            margin_reason="half of the exact 0.11; 10,000 images leave some 0.002",
            where={**_FIELD, **_LOST},
            control=Control(
                reason="a chain is right of a chain: there any size is best at it",
                where=_CHAIN,
            ),
            standing="derived",
            place="abstract: a fixed ratio is a slice; that a wrong model is needed is "
            "ours",
            refuted_by="a fixed ratio that chooses as well",
        ),
        "G2-single": _in_grid(
            claim="single masked pixels choose a model with 0.01 nats an image less of "
            "evidence than all sizes together, where none is right",
            form=_more_is_lost(0.01, 1),
            margin_reason="half of the exact 0.02",
            where={**_FIELD, **_LOST},
            control=Control(reason="a chain is right of a chain", where=_CHAIN),
            standing="derived",
            place="the other end of the ratio",
            refuted_by="a pseudo-likelihood that chooses as well",
        ),
        "G2-all": _in_grid(
            claim="all sizes together choose the model of most evidence, to 0.005 nats "
            "an image, right or not",
            form=Equality(0.005, value=_LOST, exact=0.0, along=("dataset",)),
            margin_reason="more than twice what 10,000 images leave, 0.002",
            where={"masked": 0},
            control=Control(
                reason="eight of nine masked lose 0.37 nats where none is right",
                where={"masked": 8, **_FIELD},
            ),
            standing="theorem",
            place="abstract: random ratios maximise the likelihood",
            refuted_by="evidence that random sizes leave",
        ),
    },
    unmeasured={
        "G2-network": "networks here give means of masked pixels, and no densities to "
        "add up",
    },
)
