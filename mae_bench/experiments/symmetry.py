"""Do a mask and its complement teach the same, as in the theorem on trees?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.located_level import located_level
from mae_bench.metrics.reconstruction_error import reconstruction_error

SYMMETRY = Experiment(
    question="Do the ratios r and 1 - r teach the same?",
    expected={
        "hierarchical_latents": "symmetric: the shared latents are the same",
        "mask_graph_alignment": "not symmetric: the labelling error only grows",
        "spatial_correlations": "not symmetric",
        "visible_share": "falling with r",
    },
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={"mask_ratio": (0.125, 0.25, 0.75, 0.875)},
    longer={"quick": tuple(({"mask_ratio": r}, 4) for r in (0.125, 0.875))},
    views=("unmasked", "masked"),
    metrics=(
        linear_r2,
        knowable_share,
        linear_probe,
        located_level,
        reconstruction_error,
        convergence,
    ),
    drawn=((linear_r2, "level_0"), (linear_r2, "level_1"), (located_level, "size")),
    cost="20 cells, 5 beyond mask_ratio's: about 2 minutes on two cores",
)
