"""Does the shape of the mask matter, at one and the same ratio?

At 0.75, the ratio that all four have, aligned masks of 16 patches show one quarter of
the image: those of a mask unit of 4 pixels do no other. ``sub_trees`` tells them apart.
"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

MASK_FAMILY = Experiment(
    question="Does the shape of the mask matter, at the same ratio?",
    expected={
        "hierarchical_latents": "masks along the sub-trees best, then random ones",
        "visible_share": "flat: as much is visible",
    },
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={"mask_family": ("random", "aligned", "block", "grid")},
    metrics=(linear_r2, linear_probe, reconstruction_error, convergence),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (reconstruction_error, "masked"),
    ),
    cost="20 cells, 15 beyond the leaderboard's: about 70 seconds on two cores",
)
