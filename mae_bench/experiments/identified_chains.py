"""Which masked predictions tell the parameters of a chain of hidden states?

Predictors of the form of the posterior are fitted to 20,000 strings by six descents,
and all that end as low as the best are looked at. Of pairs of symbols a whole family of
chains is as good: what is fitted, P(x_2 | x_1) of three symbols, has 6 free numbers,
and T and O have 4 + 6.
"""

from mae_bench.datasets.hidden_chain import HiddenChain
from mae_bench.experiments import Experiment
from mae_bench.methods.chain_predictor import ChainPredictor
from mae_bench.metrics.parameter_error import parameter_error

IDENTIFIED_CHAINS = Experiment(
    question="Which masked predictions tell the parameters of a hidden chain?",
    expected={
        "parameter_identifiability": "two symbols from one, and one Gaussian token "
        "from one; not one symbol from one",
    },
    datasets=(HiddenChain,),
    methods=(ChainPredictor,),
    factors={"emissions": ("symbols", "gaussian"), "tokens": (2, 3)},
    without=({"emissions": "gaussian", "tokens": 3},),
    settings={"image_size": 2, "samples": 20_000, "restarts": 6},
    metrics=(parameter_error,),
    cost="15 cells without training: about half a minute on one core",
    drawn=((parameter_error, "emission"),),
)
