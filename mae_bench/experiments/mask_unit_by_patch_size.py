"""What of the two sizes matters: the mask's unit, or the transformer's patch?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.recoverability import RECOVERABILITY
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.located_level import located_level
from mae_bench.metrics.reconstruction_error import reconstruction_error

MASK_UNIT_BY_PATCH_SIZE = Experiment(
    question="Which size matters, the mask's unit or the transformer's patch?",
    expected={
        "hierarchical_latents": "the unit sets the level, the patch does not",
        "mask_graph_alignment": "only through connectivity and labelling error",
        "spatial_correlations": "small patches at high ratios best",
        "visible_share": "flat in both: as much is visible",
        "average_distance": "the farther the nearest visible pixel, the worse",
    },
    datasets=(GaussianTree, RandomHierarchy, InvertibleTree),
    methods=(MAE,),
    factors={
        "mask_ratio": (0.25, 0.5, 0.75),
        "mask_unit": (2, 4),
        "patch_size": (2, 4),
    },
    # A unit is made of whole patches.
    without=({"mask_unit": 2, "patch_size": 4},),
    budgets=RECOVERABILITY.budgets,
    metrics=(
        linear_probe,
        linear_r2,
        knowable_share,
        located_level,
        reconstruction_error,
        convergence,
    ),
    views=("unmasked", "masked"),
    cost="135 cells, 75 beyond recoverability's: about 9 minutes on two cores",
)
