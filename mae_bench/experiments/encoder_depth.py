"""Does a deeper encoder give better features, and does its loss tell?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

ENCODER_DEPTH = Experiment(
    question="Does a deeper encoder give better features?",
    expected={
        "spatial_correlations": "the probe rises with depth; the loss does not tell",
        "visible_share": "flat: what is visible does not change",
    },
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={"depth": (1, 2, 4)},
    metrics=(linear_r2, linear_probe, reconstruction_error),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (reconstruction_error, "masked"),
    ),
    cost="15 cells, 10 beyond the leaderboard's: about 50 seconds on two cores",
)
