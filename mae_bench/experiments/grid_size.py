"""Is what a mask ratio does the same in a larger grid of patches?

Of 16 patches nine tenths cannot be masked; of 64 they can, to a hundredth. The larger
tree has a level more. (A random hierarchy of three levels, ``random:1,random:4`` and
``random:4`` again, would be nearer to the theory: in 2000 steps a quick network learned
next to nothing of it, a share of 0.1 to 0.2 of its root.)
"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

SMALL, LARGE = 2, 3  # levels below the root: grids of 4 and of 8 patches a side
# Of 16 patches 2 masked or 1 visible, and of 64 as many, nearly: 7 masked, 6 visible.
LOW, HIGH = (0.125, 0.109375), (0.9375, 0.90625)

GRID_SIZE = Experiment(
    question="Is what a mask ratio does the same in a larger grid of patches?",
    expected={
        "hierarchical_latents": "inverted U in both grids, the extremes alike",
        "visible_share": "falling in both grids",
    },
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={
        "mask_ratio": (*LOW, 0.5, 0.75, *HIGH),
        "tree_depth": (SMALL, LARGE),
    },
    without=tuple(
        {"mask_ratio": ratio, "tree_depth": depth}
        for ratios in (LOW, HIGH)
        for ratio, depth in zip(ratios, (LARGE, SMALL), strict=True)
    ),
    longer={
        "quick": (
            ({"mask_ratio": 0.125}, 4),
            ({"mask_ratio": 0.9375}, 12),
            ({"tree_depth": LARGE}, 3),
            *(({"mask_ratio": ratio}, 4) for ratio in (LOW[1], HIGH[1])),
        )
    },
    metrics=(linear_r2, knowable_share, ceiling, reconstruction_error, convergence),
    views=("unmasked", "masked"),
    cost="40 cells, 20 beyond mask_ratio's: about 20 minutes on two cores",
)
