"""Which mask ratio makes the encoder keep the root of the hierarchy?"""

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2

MASK_RATIO = Experiment(
    question="Which mask ratio makes the encoder keep the root of the hierarchy?",
    expected={
        "hierarchical_latents": "inverted U: both extremes below the middle",
        "mask_graph_alignment": "inverted U: connectivity against labelling error",
        "null": "falling: the more is visible in training, the better",
    },
    datasets=(GaussianTree, Digits),
    methods=(MAE, UMAE),
    factors={"mask_ratio": (0.1, 0.25, 0.5, 0.75, 0.9)},
    metrics=LEADERBOARD.metrics,
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (effective_rank, "centred"),
    ),
    cost="100 cells, 80 beyond the leaderboard's: about 6 minutes on two cores",
)
