"""Does LeJEPA's loss tell which of its trainings found the causes?

Gaussian causes through a spiral, as in ``lejepa_shapes``: four weights of SIGReg by
four learning rates. No training is left out, whatever became of it.
"""

from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.experiments import Experiment
from mae_bench.methods.lejepa import LeJEPA
from mae_bench.metrics.held_out_loss import held_out_loss
from mae_bench.metrics.linear_r2 import linear_r2

LEJEPA_RATES = Experiment(
    question="Does LeJEPA's loss tell which of its trainings found the causes?",
    expected={"lejepa": "the lower the loss, the better the causes are told"},
    datasets=(OUMixing,),
    methods=(LeJEPA,),
    factors={
        "lamb": (0.005, 0.02, 0.08, 0.32),
        "lr": (0.0003, 0.001, 0.003, 0.01),
        "stop": (0.0, 1.0),
    },
    settings={"alpha": 2.0, "rho": 0.9},
    budgets={"quick": {"warmup": 0.1}},
    metrics=(held_out_loss, linear_r2),
    cost="160 cells, 80 of them trained: about 13 minutes of a busy core",
    drawn=((linear_r2, "level_0"), (held_out_loss, "mean")),
)
