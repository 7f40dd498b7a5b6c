"""What do the features of a masked autoencoder gain in the course of its training?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising import Ising
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.attention import attention
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.occlusion_invariance import occlusion_invariance
from mae_bench.metrics.reconstruction_error import reconstruction_error

TRAINING_TIME = Experiment(
    question="What do the features gain in the course of training?",
    expected={
        "mask_graph_alignment": "views of one image become alike as the loss falls",
        "operator_kernel": "the attention kernel falls in rank",
        "spatial_correlations": "the reach of the Jacobian grows, local to global",
        "occlusion_invariant_features": "an image and its visible part become alike",
        "visible_share": "the longer, the better",
    },
    datasets=(GaussianTree, Ising),
    methods=(MAE,),
    # Checkpoints of one run: the schedule is that of the run to the end.
    factors={"stop": (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)},
    settings={"coupling": 0.0},  # independent spins: a world without structure
    metrics=(
        linear_r2,
        linear_probe,
        alignment,
        effective_rank,
        reconstruction_error,
        attention,
        jacobian_influence,
        occlusion_invariance,
    ),
    drawn=((linear_r2, "level_0"), (alignment, "cosine_gap"), (linear_probe, "")),
    cost="60 cells, 40 trained for at most half of the steps: about 3 minutes; the "
    "independent spins are a control",
)
