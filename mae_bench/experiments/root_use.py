"""Does an autoencoder use the root of the hierarchy to reconstruct?

A probe that reads the root off the features does not say so: it may read it off what
tells the patches below. The exact decoder with the root's link cut does: of the masked
variance it explains all that can be explained without the root. What a network explains
beyond that it can only have by the root.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.reconstruction_error import reconstruction_error

ROOT_USE = Experiment(
    question="Does an autoencoder use the root of the hierarchy to reconstruct?",
    expected={
        "hierarchical_latents": "more explained than without the root",
        "visible_share": "never more explained than without the root",
    },
    datasets=(RandomHierarchy,),
    methods=(MAE,),
    factors={"stop": (0.0, 1.0)},
    # One production a class, so that the root tells all four nodes below it, and below
    # them rules that a leaf alone says something of: worlds where small networks find
    # the root soonest. Where a leaf says nothing, they do not in every world.
    settings={"symbols": 4, "rules": "random:1,random:4", "mask_ratio": 0.5},
    budgets={
        "quick": {
            "steps": 1500,
            "lr": 0.004,
            "warmup": 0.1,
            "depth": 3,
            "embed_dim": 48,
            "num_heads": 4,
            "decoder_num_heads": 4,
        }
    },
    metrics=(level_accuracy, ceiling, reconstruction_error, convergence),
    cost="10 cells, 5 of them trained: about a minute on two cores",
)
