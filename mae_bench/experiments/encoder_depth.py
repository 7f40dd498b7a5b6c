"""Does a deeper encoder give better features, and does its loss tell?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising import Ising
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
    datasets=(GaussianTree, Ising),
    methods=(MAE,),
    factors={"depth": (1, 2, 4)},
    settings={"coupling": 0.0},  # independent spins: a world without structure
    metrics=(linear_r2, linear_probe, reconstruction_error),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (reconstruction_error, "masked"),
    ),
    cost="30 cells, 25 beyond the leaderboard's: about 2 minutes on two cores; the "
    "independent spins are a control",
)
