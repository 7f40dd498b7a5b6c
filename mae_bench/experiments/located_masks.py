"""Does the mask alone decide which latents the code holds?"""

from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.experiments import Experiment
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.mae import MAE
from mae_bench.methods.reduced_rank import ReducedRank
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.located_r2 import located_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.records.schema import Settings

# Numbers in c(m): the root's 2, and 1 for each node of level 1 that the mask cuts.
WIDTH_OF_C = {"left": 2, "leaf": 3, "column": 4, "centre": 6}
_WIDTHS = tuple(sorted(set(WIDTH_OF_C.values())))
_OTHER_WIDTHS: tuple[Settings, ...] = tuple(
    {"mask_family": family, "bottleneck": d}
    for family, width in WIDTH_OF_C.items()
    for d in _WIDTHS
    if d != width
)

LOCATED_MASKS = Experiment(
    question="Does the mask decide which latents a code of the right width holds?",
    expected={
        "hierarchical_latents": "c(m) is recovered, and no node outside it; an "
        "autoencoder of the same visible patches mixes both",
    },
    datasets=(InvertibleTree,),
    methods=(MAE, Autoencoder, ReducedRank),
    factors={
        "mask_family": tuple(WIDTH_OF_C),
        "bottleneck": _WIDTHS,
        "stop": (0.0, 1.0),
    },
    without=(
        # An untrained encoder is a control of MAE alone.
        {"method": "autoencoder", "stop": 0.0},
        {"method": "autoencoder", "mask_family": "leaf"},
        {"method": "autoencoder", "mask_family": "centre"},
        {"method": "reduced_rank", "stop": 0.0},
        *_OTHER_WIDTHS,
    ),
    # All there is stands in the code: attention would have nothing to choose from.
    settings={"patch_size": 2, "decoder_family": "pointwise", "weight_decay": 0.0},
    # By the loss: 0.98 of what the floor of two samples leaves to be explained.
    budgets={
        "quick": {
            "steps": 1600,
            "lr": 0.006,
            "warmup": 0.1,
            "decoder_embed_dim": 64,
            "decoder_depth": 2,
        }
    },
    metrics=(located_r2, reconstruction_error, convergence),
    drawn=((located_r2, "c"), (located_r2, "private/eps_1")),
    cost="70 cells, 30 of them trained: about 4 minutes on two cores",
)
