"""Do a masked token predictor's conditionals come from one joint law?

The cells of ``log_posterior``: of any world whose law is known, belief propagation is
what a compatible predictor would say.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics.conditional_cycle import conditional_cycle
from mae_bench.metrics.filtered_loss import filtered_loss

CONDITIONAL_CYCLES = Experiment(
    question="Do a masked token predictor's conditionals come from one joint law?",
    expected={
        "incompatible_conditionals": "they do not: no joint law has them all",
        "cumulative_masked_score": "they do, as a sum over masks is the evidence",
    },
    datasets=(RandomHierarchy,),
    methods=(TokenMAE,),
    factors={"mask_ratio": (0.5, 0.75), "stop": (0.0, 1.0)},
    settings={"rules": "random:4,random:2", "noise": 0.3},
    metrics=(conditional_cycle, filtered_loss),
    drawn=((conditional_cycle, "network"), (conditional_cycle, "exact")),
    cost="20 cells, 10 of them trained, shared with log_posterior: about 4 minutes on "
    "one core",
)
