"""Does a falling loss pull together the views that share a target?

In a world of 32 images of four leaves one leaf is masked, so that about eight views
share each target. Where all four leaves are independent the loss cannot fall at all.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.alignment_bound import alignment_bound

MASK_GRAPH_BOUND = Experiment(
    question="Does a falling loss pull together the views that share a target?",
    expected={"mask_graph_alignment": "alignment up as the loss falls; slack above 0"},
    datasets=(RandomHierarchy,),
    methods=(MAE,),
    factors={
        "stop": (0.0, 0.05, 0.1, 0.25, 0.5, 1.0),
        "rules": ("random:8", "random:64"),
    },
    settings={"symbols": 4, "noise": 0.05, "mask_ratio": 0.25},
    budgets={"quick": {"steps": 500}},
    metrics=(alignment_bound,),
    drawn=((alignment_bound, "alignment"), (alignment_bound, "slack")),
    cost="60 cells, 50 of them trained for at most 500 steps: about 2 minutes",
)
