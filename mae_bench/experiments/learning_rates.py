"""Which learning rate is each method's own in a world, chosen without a label?

One rate for all flatters the methods that it was found for. Here all that train on the
leaderboard join, and are tried at the same few rates under the leaderboard's budget. By
what a method is judged it says itself (``Method.judged_by``): its loss on held-out
images, or the rank of its features where a collapsed encoder has a low loss.
``mae-bench tune`` makes the table from the rows, and counts what a step costs.
"""

from mae_bench.datasets.mnist import MNIST
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.leaderboard import BY_WORLD
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.held_out_loss import held_out_loss
from mae_bench.metrics.training_flops import training_flops

LEARNING_RATES = Experiment(
    question="Which learning rate is each method's own in a world, by no label?",
    expected={},
    datasets=(MNIST, RandomHierarchy),
    methods=(),
    factors={"lr": (0.001, 0.003, 0.01, 0.03)},
    by_world=BY_WORLD,
    metrics=(held_out_loss, effective_rank, convergence, training_flops),
    on_demand=True,
    cost="152 cells a seed, all of them trained: about 45 minutes a seed on two cores",
)
