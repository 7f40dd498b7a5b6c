"""Where does each method stand, if all of them may cost what MAE does?

At equal steps a method that encodes two whole views of each image does several times
the work of one that encodes a quarter of it. Here each takes as many steps as make its
floating-point operations those of MAE's training (``training_flops``), by the table
that ``mae-bench tune`` makes; in a world that is not there the cells would be the
leaderboard's. Methods and metrics that join the leaderboard join it as well.
"""

from mae_bench.datasets.mnist import MNIST
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments._chosen import AT_EQUAL_COST, Chosen
from mae_bench.experiments.leaderboard import BY_WORLD
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2

LEADERBOARD_AT_COST = Experiment(
    question="Where does each method stand, if all of them may cost what MAE does?",
    expected={},
    datasets=(MNIST, RandomHierarchy),
    methods=(),
    metrics=(
        linear_r2,
        linear_probe,
        attentive_probe,
        knn_probe,
        effective_rank,
        convergence,
    ),
    by_world=BY_WORLD,
    chosen=Chosen(AT_EQUAL_COST),
    cost="44 cells a seed, of which those of MAE and of what does not train are the "
    "leaderboard's own",
)
