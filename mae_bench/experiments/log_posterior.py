"""Are a token predictor's features linear in the log posterior of the root?

Four symbols, in a world in which a leaf says something of its parent, and a parent of
the root. With half of the leaves visible the root is nearly always known, so that what
the theory leaves out is small; with a quarter it is often in doubt, and the tokens are
mixtures over roots. Belief propagation gives the posterior, and from it the logits that
an ideal predictor would have.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics.filtered_loss import filtered_loss
from mae_bench.metrics.log_posterior_r2 import log_posterior_r2

LOG_POSTERIOR = Experiment(
    question="Are a token predictor's features linear in the root's log posterior?",
    expected={
        "log_posterior_features": "they are, and more so than in the posterior",
        "conditional_independence": "they are linear in the posterior itself",
    },
    datasets=(RandomHierarchy,),
    methods=(TokenMAE,),
    factors={"mask_ratio": (0.5, 0.75), "stop": (0.0, 1.0)},
    settings={"rules": "random:4,random:2", "noise": 0.3},
    metrics=(log_posterior_r2, filtered_loss),
    drawn=((log_posterior_r2, "log/logits"), (log_posterior_r2, "posterior/logits")),
    cost="20 cells, 10 of them trained: about 4 minutes on one core",
)
