"""How much do samples tell under masks of k pixels, of a chain's one parameter?

A Gaussian chain of 9 pixels; its correlation is estimated by the likelihood of k masked
pixels given the others, of one random mask a sample or of all of them, a thousand times
from 200 samples each. The exact errors over that of maximum likelihood, at φ = 0.7
and k = 1, 2, 4, 6, 9: 6.63, 3.35, 1.73, 1.21, 1 (one mask), and 1.22, 1.17, 1.08,
1.02, 1 (all).
Without correlations, φ = 0, all masks together lose nothing at any k.
"""

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.experiments import Experiment
from mae_bench.methods.masked_likelihood import MaskedLikelihood
from mae_bench.metrics.estimator_variance import estimator_variance

MASK_EFFICIENCY = Experiment(
    question="Are larger masks statistically more efficient?",
    expected={
        "masked_likelihood": "the error falls with every masked pixel, to that of "
        "maximum likelihood where all are masked",
    },
    datasets=(ARChain,),
    methods=(MaskedLikelihood,),
    factors={
        "masked": (1, 2, 4, 6, 9),
        "masks": ("one", "all"),
        "phi": (0.0, 0.7),
    },
    settings={"samples": 200, "fits": 1000},
    metrics=(estimator_variance,),
    cost="100 cells without training: about a minute on one core",
    drawn=((estimator_variance, "error"),),
)
