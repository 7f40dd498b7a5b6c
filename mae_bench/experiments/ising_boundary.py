"""Does a linear MAE look at the rims of its patches, where other patches are near?

Spins with correlations tanh(J)^distance while J is small; at J = 0 there are none. One
code coordinate: its eigenvalue alone stands apart from the next at every J above 0.
"""

from mae_bench.datasets.ising import Ising
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics.boundary_share import boundary_share

ISING_BOUNDARY = Experiment(
    question="Does a linear MAE look at the rims of its patches?",
    expected={
        "spatial_correlations": "more weight on rims, the more so the smaller J above 0"
    },
    datasets=(Ising,),
    methods=(LinearMAE,),
    factors={"coupling": (0.0, 0.1, 0.2, 0.3, 0.4)},
    settings={"patch_size": 4, "rank": 1, "mask_ratio": 0.75},
    # Drawing spins costs more than the step; images fewer than these leave noise.
    budgets={"quick": {"batch_size": 512}},
    metrics=(boundary_share,),
    drawn=((boundary_share, ""),),
    cost="25 cells: about a minute on two cores",
)
