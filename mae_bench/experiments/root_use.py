"""Does an autoencoder use the root of the hierarchy to reconstruct?

A probe that reads the root off the features does not say so: it may read it off what
tells the patches below. The exact decoder with the root's link cut does: of the masked
variance it explains all that can be explained without the root. What a network explains
beyond that it can only have by the root.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.reconstruction_error import reconstruction_error

ROOT_USE = Experiment(
    question="Does an autoencoder use the root of the hierarchy to reconstruct?",
    expected={
        "hierarchical_latents": "more explained than without the root, where it helps",
        "null": "never more explained than without the root",
    },
    datasets=(RandomHierarchy,),
    methods=(MAE, RandomInit),
    factors={"mask_ratio": (0.25, 0.5, 0.75)},
    # Few productions above, so that four children tell their parent soon, and rules
    # below of which a single leaf tells nothing.
    settings={"symbols": 3, "rules": "random:2,shift:3"},
    # Of a handful of budgets of half a minute, that of the least training loss at 0.5.
    budgets={
        "quick": {
            "steps": 3000,
            "lr": 0.008,
            "warmup": 0.3,
            "embed_dim": 48,
            "num_heads": 4,
            "decoder_num_heads": 4,
        }
    },
    metrics=(level_accuracy, ceiling, reconstruction_error),
    drawn=(
        (reconstruction_error, "explained_masked"),
        (reconstruction_error, "explained_bayes_cut_1"),
        (reconstruction_error, "explained_bayes"),
    ),
    cost="20 cells, 15 of them trained: about 5 minutes on two cores",
)
