"""How much of what can be recovered do the features of an autoencoder hold?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

RECOVERABILITY = Experiment(
    question="How much of what can be recovered do the features hold?",
    expected={
        "hierarchical_latents": "the root nearest its ceiling at the middle ratios",
        "visible_share": "the nearer the ceiling, the more is visible in training",
    },
    datasets=(GaussianTree, RandomHierarchy),
    methods=(MAE, RandomInit),
    factors={"mask_ratio": (0.25, 0.5, 0.75, 0.9375), "mask_unit": (2, 4)},
    # An image has four units of 4 pixels: a visible sixteenth is none.
    without=({"mask_ratio": 0.9375, "mask_unit": 4},),
    budgets={"quick": {"steps": 1500}},
    # Of 16 patches one is visible: the loss falls long after the tier's own end.
    longer={"quick": (({"mask_ratio": 0.9375}, 8),)},
    metrics=(linear_r2, level_accuracy, ceiling, ceiling_ratio, reconstruction_error),
    views=("unmasked", "masked"),
    cost="80 cells, 70 of them trained: about 16 minutes on two cores",
)
