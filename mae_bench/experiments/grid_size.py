"""Is what a mask ratio does the same in a larger grid of patches?

Of 16 patches nine tenths cannot be masked; of 64 they can, to a hundredth. The larger
hierarchy has a level more, of the same rules.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.mask_ratio import OF_ONE_LEAF
from mae_bench.methods.mae import MAE
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.reconstruction_error import reconstruction_error

SMALL, LARGE = OF_ONE_LEAF, f"{OF_ONE_LEAF},random:4"
# Of 16 patches 2 masked or 1 visible, and of 64 about as many: 7 masked or 6 visible.
LOW, HIGH = (0.125, 0.109375), (0.9375, 0.90625)

GRID_SIZE = Experiment(
    question="Is what a mask ratio does the same in a larger grid of patches?",
    expected={
        "hierarchical_latents": "inverted U in both grids, the extremes alike",
        "visible_share": "falling in both grids",
    },
    datasets=(RandomHierarchy,),
    methods=(MAE,),
    factors={
        "mask_ratio": (*LOW, 0.5, 0.75, *HIGH),
        "rules": (SMALL, LARGE),
    },
    without=tuple(
        {"mask_ratio": ratio, "rules": rules}
        for ratios in (LOW, HIGH)
        for ratio, rules in zip(ratios, (LARGE, SMALL), strict=True)
    ),
    longer={
        "quick": (
            ({"dataset": "random_hierarchy"}, 2),
            ({"mask_ratio": 0.125}, 4),
            ({"mask_ratio": 0.9375}, 8),
        )
    },
    metrics=(
        level_accuracy,
        knowable_share,
        ceiling,
        reconstruction_error,
        convergence,
    ),
    views=("unmasked", "masked"),
    cost="COST",
)
