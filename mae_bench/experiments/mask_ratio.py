"""Which mask ratio makes the encoder keep the root of the hierarchy?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.participation_ratio import participation_ratio
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.metrics.uniformity import uniformity

MASK_RATIO = Experiment(
    question="Which mask ratio makes the encoder keep the root of the hierarchy?",
    expected={
        "hierarchical_latents": "inverted U: both extremes below the middle",
        "mask_graph_alignment": "inverted U: connectivity against labelling error",
        "null": "falling: the more is visible in training, the better",
    },
    datasets=(GaussianTree,),
    methods=(MAE, UMAE),
    factors={"mask_ratio": (0.1, 0.25, 0.5, 0.75, 0.9)},
    metrics=(
        linear_r2,
        linear_probe,
        effective_rank,
        participation_ratio,
        alignment,
        uniformity,
        reconstruction_error,
    ),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (effective_rank, "centred"),
    ),
    cost="50 cells, 40 beyond the leaderboard's: about 3 minutes on two cores",
)
