"""Does a trained linear MAE find the optimum that theory gives in closed form?

The theorem leaves no gap in loss. What it says of the reach is told by the closed form
itself: at full rank it grows with the mask ratio, at rank 8 it need not, and in the
whitened field the optimum is the principal subspace, whatever the ratio.
"""

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics.closed_form_gap import closed_form_gap

LINEAR_THEORY = Experiment(
    question="Does a trained linear MAE find the optimum in closed form?",
    expected={
        "spatial_correlations": "no gap; the reach grows with the ratio at full rank, "
        "not at rank 8; the whitened field keeps the principal subspace"
    },
    datasets=(GaussianField, GaussianTree),
    methods=(LinearMAE,),
    factors={
        "mask_ratio": (0.01, 0.25, 0.5, 0.75, 0.9),
        "rank": (8, 64),
        "spectrum": ("exponential", "whitened"),
    },
    # Without a bottleneck every subspace is the whole space: nothing to be told.
    without=({"spectrum": "whitened", "rank": 64},),
    # Small batches leave noise in the weights, which pass for a longer reach.
    budgets={"quick": {"batch_size": 1024}},
    metrics=(closed_form_gap,),
    cost="125 cells: about 3 minutes on two cores",
)
