"""What does a uniformity loss do to the features of a masked autoencoder?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.participation_ratio import participation_ratio
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.metrics.uniformity import uniformity

UNIFORMITY = Experiment(
    question="What does a uniformity loss do to the features of a masked autoencoder?",
    expected={
        "mask_graph_alignment": "rank rises with lambda; probes peak near 0.01",
        "visible_share": "probes flat in lambda: what is visible does not change",
    },
    datasets=(GaussianTree,),
    methods=(UMAE,),
    factors={"lamb": (0.0, 0.001, 0.01, 0.1, 1.0)},
    # So strong a term is still at work after a quick training.
    longer={"quick": (({"lamb": 1.0}, 4),)},
    metrics=(
        linear_r2,
        linear_probe,
        effective_rank,
        participation_ratio,
        alignment,
        uniformity,
        reconstruction_error,
        convergence,
    ),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (effective_rank, "centred"),
    ),
    cost="25 cells, 20 beyond the leaderboard's: about 3 minutes on two cores",
)
