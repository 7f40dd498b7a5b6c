"""Does LeJEPA find causes that drift, and of which shape must they be?

Two causes seen through a spiral. At ρ = 0.9 and the released λ = 0.02 their shape α
goes from heavy tails (1/2) past Gaussian (2) to nearly uniform (16); at α = 2 there is
a faster drift and a stronger SIGReg. Each is looked at after a tenth of the training
and at its end, and no run is left out.
"""

from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.experiments import Experiment
from mae_bench.methods.lejepa import LeJEPA
from mae_bench.metrics.alignment_slack import alignment_slack
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.linear_r2 import linear_r2

SHAPES = (0.5, 1.0, 2.0, 4.0, 16.0)
_OTHERS = tuple(alpha for alpha in SHAPES if alpha != 2.0)

LEJEPA_SHAPES = Experiment(
    question="Does LeJEPA find causes that drift, and of which shape must they be?",
    expected={
        "lejepa": "no run breaks a bound; linear read-outs are best of Gaussian causes",
    },
    datasets=(OUMixing,),
    methods=(LeJEPA,),
    factors={
        "alpha": SHAPES,
        "rho": (0.5, 0.9),
        "lamb": (0.02, 0.2),
        "stop": (0.1, 1.0),
    },
    without=(
        {"rho": 0.5, "lamb": 0.2},
        *({"alpha": alpha, "rho": 0.5} for alpha in _OTHERS),
        *({"alpha": alpha, "lamb": 0.2} for alpha in _OTHERS),
    ),
    budgets={"quick": {"warmup": 0.1}},
    metrics=(alignment_slack, linear_r2, convergence),
    cost="70 cells, of 35 trainings: about 4 minutes on one core",
    drawn=((linear_r2, "level_0"), (alignment_slack, "excess")),
)
