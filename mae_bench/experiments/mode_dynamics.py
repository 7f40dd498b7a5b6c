"""In which order do deep linear networks learn, in pixel and in feature space?

The world gives eight modes: four regression coefficients ρ, each at two covariances λ.
Gradient flow says when each is learned and how far. From one start, init_scale 0.02,
feature prediction and pixel prediction are compared at three depths; pixel prediction
has a smaller start as well, as its times are independent of ρ in that limit alone
(feature prediction would take (0.02 / 0.0001)^{3/2} times as long from there).
"""

from mae_bench.datasets.linear_pair import LinearPair
from mae_bench.experiments import Experiment
from mae_bench.methods.deep_linear import DeepLinear
from mae_bench.metrics.mode_times import mode_times

MODE_DYNAMICS = Experiment(
    question="Does predicting features learn predictable modes first, and pixels not?",
    expected={
        "deep_linear_dynamics": "JEPA's delay of small rho grows with depth from none "
        "at one layer; MAE has no such delay"
    },
    datasets=(LinearPair,),
    methods=(DeepLinear,),
    factors={
        "objective": ("mae", "jepa"),
        "depth": (1, 2, 3),
        "init_scale": (0.02, 1e-4),
    },
    without=({"objective": "jepa", "init_scale": 1e-4},),
    # The rate is well below 2 / curvature (4 at most), so that steps are near the flow;
    # the slowest mode is learned at about step 2,100. In feature space what is learned
    # first leaks into other modes through the sample's correlations, of about
    # 1 / sqrt(images): they have to be far below the start.
    settings={"lr": 0.3, "images": 400_000},
    budgets={"quick": {"steps": 5000}},
    metrics=(mode_times,),
    cost="45 cells: about 3 minutes on two idle cores",
    drawn=((mode_times, "rho_bias"), (mode_times, "exponent")),
)
