"""Who on the leaderboard has done learning, and who would rise with more steps?

Each method of the leaderboard, under its budget and at its learning rate, is read out
at an eighth, a quarter, a half and all of its steps. They are checkpoints of one run,
whose schedule is that of the run to the end: the last are the leaderboard's own cells,
and training passes the others on its way.
"""

from mae_bench.datasets.mnist import MNIST
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments._chosen import LR, Chosen
from mae_bench.experiments.leaderboard import BY_WORLD
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.linear_probe import linear_probe

LEARNING_CURVES = Experiment(
    question="Who has done learning, and who would rise with more steps?",
    expected={},
    datasets=(MNIST, RandomHierarchy),
    methods=(),
    factors={"stop": (0.125, 0.25, 0.5, 1.0)},
    by_world=BY_WORLD,
    chosen=Chosen(LR),
    metrics=(linear_probe, attentive_probe, effective_rank),
    cost="152 cells a seed, of which training passes 114 on its way: a few minutes a "
    "seed beside the leaderboard, else its time",
)
