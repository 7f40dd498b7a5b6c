"""Do masks along the hierarchy's sub-trees raise the level of what is kept?

Six of sixteen leaves are visible. Masks along the sub-trees show one quarter whole and
half of another; no size of the mask's unit does, of which ``mask_unit_by_patch_size``
asks. (A quarter alone, or two, would be the same as a unit of 4 pixels.)
"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.mask_ratio import OF_ONE_LEAF
from mae_bench.methods.mae import MAE
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

SUB_TREES = Experiment(
    question="Do masks along the sub-trees raise the level of what is kept?",
    expected={
        "hierarchical_latents": "the root kept better by masks along the sub-trees",
        "visible_share": "no difference: as much is visible",
    },
    datasets=(GaussianTree, InvertibleTree, RandomHierarchy),
    methods=(MAE,),
    factors={"mask_family": ("random", "aligned")},
    settings={"mask_ratio": 0.625, "rules": OF_ONE_LEAF},
    # At the tier's own 1000 steps some of them are still on their way.
    budgets={"quick": {"steps": 2000}},
    metrics=(linear_r2, knowable_share, ceiling, reconstruction_error, convergence),
    views=("unmasked", "masked"),
    drawn=((linear_r2, "level_0"), (linear_r2, "level_2")),
    cost="30 cells: about 7 minutes on two cores",
)
