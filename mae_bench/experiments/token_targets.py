"""Do tokens that mix fewer classes make better targets for masked patches?

Digits in quarters, half of them masked, whose tokens are told: clusters of pixels;
finer ones, dealt at random or merged by their classes; or the class itself. Share of
links between classes, of seed 0 and without training: 0.88, 0.86 and 0.71 of 8 tokens
(mixed, clusters, aligned), 0.81, 0.70 and 0.65 of 32, and 0 of classes.
"""

from mae_bench.datasets.digits import Digits
from mae_bench.experiments import Experiment
from mae_bench.methods.cluster_mim import ClusterMIM
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.token_mixing import token_mixing

TOKEN_TARGETS = Experiment(
    question="Do tokens that mix fewer classes make better targets?",
    expected={
        "discrete_tokens": "the fewer links are between classes, the better the probe; "
        "classes are the best tokens",
    },
    datasets=(Digits,),
    methods=(ClusterMIM,),
    factors={
        "tokens": ("mixed", "clusters", "aligned", "classes"),
        "vocabulary": (8, 32),
        "stop": (0.0, 1.0),
    },
    # Of classes there are as many as there are.
    without=({"tokens": "classes", "vocabulary": 32},),
    settings={"patch_size": 4, "mask_ratio": 0.5},
    budgets={"quick": {"steps": 300}},
    metrics=(linear_probe, token_mixing),
    cost="70 cells, 35 of them trained: about 3 minutes on one core",
    drawn=((linear_probe, ""), (token_mixing, "mixing")),
)
