"""Are masks of noise that has a scale better than white ones?

The tree of three levels has 64 patches, 8 a side, on which a colour can be seen: parts
of green masks repeat every three patches or so, those of red ones are larger.
"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

MASK_COLOURS = Experiment(
    question="Are masks of noise that has a scale better than white ones?",
    expected={
        "coloured_masks": "green best, of as many visible patches",
        "hierarchical_latents": "those best whose parts are sub-trees; none is",
        "visible_share": "flat: as much is visible",
    },
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={
        "mask_family": ("random", "red", "green", "blue"),
        "stop": (0.0, 1.0),
    },
    settings={"tree_depth": 3, "mask_ratio": 0.75},
    metrics=(linear_r2, linear_probe, reconstruction_error),
    drawn=((linear_r2, "level_0"), (linear_probe, "")),
    cost="40 cells, 20 of them trained: about 6 minutes on two cores",
)
