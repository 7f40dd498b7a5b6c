"""Does an autoencoder use more than the correlations between pixels?

Digits and their Gaussian surrogate have one mean and one covariance, so the best linear
guess of masked pixels is as good in both. What a network gains on it in the digits it
owes to moments above the second; in the surrogate there is nothing to gain.
"""

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.surrogate_digits import SurrogateDigits
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.metrics.linear_gain import linear_gain
from mae_bench.metrics.reconstruction_error import reconstruction_error

GAUSSIAN_SURROGATE = Experiment(
    question="Does an autoencoder use more than the correlations between pixels?",
    expected={
        "spatial_correlations": "a gain over linear on digits, none on the surrogate",
        "visible_share": "no gain on either",
    },
    datasets=(Digits, SurrogateDigits),
    methods=(MAE,),
    factors={"mask_ratio": (0.5, 0.75)},
    # The plateau of the training loss is left behind only after a thousand steps.
    budgets={"quick": {"steps": 1500}},
    metrics=(linear_gain, reconstruction_error, jacobian_influence),
    drawn=((linear_gain, "gain"), (linear_gain, "masked"), (linear_gain, "linear")),
    cost="20 cells: about 3 minutes on two cores",
)
