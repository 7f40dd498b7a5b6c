"""What does a uniformity loss do to the features of a masked autoencoder?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.methods.u_mae import UMAE

UNIFORMITY = Experiment(
    question="What does a uniformity loss do to the features of a masked autoencoder?",
    expected={
        "mask_graph_alignment": "rank rises with lambda; probes peak near 0.01",
        "null": "probes flat in lambda: what is visible does not change",
    },
    datasets=(GaussianTree,),
    methods=(UMAE,),
    factors={"lamb": (0.0, 0.001, 0.01, 0.1, 1.0)},
    metrics=MASK_RATIO.metrics,
    drawn=MASK_RATIO.drawn,
    cost="25 cells, 20 beyond the leaderboard's: about 80 seconds on two cores",
)
