"""What does a code hold that is narrower, or wider, than what the mask makes shared?"""

from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.experiments import Experiment
from mae_bench.experiments.located_masks import LOCATED_MASKS
from mae_bench.methods.mae import MAE
from mae_bench.methods.reduced_rank import ReducedRank
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.located_r2 import located_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

BOTTLENECK = Experiment(
    question="What does a code hold that is narrower, or wider, than c(m)?",
    expected={
        "hierarchical_latents": "below the width of c less of c, above it no more of "
        "c, but the visible part's private latents",
    },
    datasets=(InvertibleTree,),
    methods=(MAE, ReducedRank),
    # c has 2 numbers under the mask left, and 6 under the mask centre, which cuts all
    # nodes of level 1: a wider code would find none of them private.
    factors={"mask_family": ("left", "centre"), "bottleneck": (1, 2, 3, 6, 8)},
    without=(
        {"mask_family": "left", "bottleneck": 3},
        {"mask_family": "left", "bottleneck": 6},
        {"mask_family": "centre", "bottleneck": 1},
        {"mask_family": "centre", "bottleneck": 2},
        {"mask_family": "centre", "bottleneck": 8},
    ),
    settings=LOCATED_MASKS.settings,
    budgets=LOCATED_MASKS.budgets,
    metrics=(located_r2, reconstruction_error, convergence),
    drawn=((located_r2, "c"), (located_r2, "private/eps_1")),
    cost="50 cells, 15 of them trained beyond located_masks': about 2 minutes on two "
    "cores",
)
