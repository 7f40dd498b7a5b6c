"""Does a predictor of tokens pass the filtered decoders on its way to Bayes?

Three runs of 1,500, 6,000 and 24,000 steps, each with checkpoints on its way, in the
world of ``recoverability`` and at its mask ratio of a quarter: there 1,500 steps bring
MAE about as far as the exact decoder that does not know the root. A single leaf tells
nothing of its neighbours but by its siblings (cut at level 1) and by the root (full).
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics.filtered_loss import filtered_loss

FILTERED_DECODERS = Experiment(
    question="Does a predictor of tokens pass filtered decoders on its way to Bayes?",
    expected={
        "hierarchical_filtering": "near the leaves' marginal, then near the decoder "
        "without the root, then near Bayes"
    },
    datasets=(RandomHierarchy,),
    methods=(TokenMAE,),
    factors={
        "steps": (1500, 6000, 24_000),
        "stop": (0.01, 0.05, 0.1, 0.25, 0.5, 1.0),
    },
    settings={"mask_ratio": 0.25},
    metrics=(filtered_loss,),
    drawn=((filtered_loss, "kl_cut_1"), (filtered_loss, "kl_full")),
    cost="90 cells, 15 of them trained and 75 passed on the way: 35 minutes on one "
    "core, of which the runs of 24,000 steps take 24 and those of 6,000 six",
    on_demand=True,
)
