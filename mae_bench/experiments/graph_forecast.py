"""Does the mask graph say at which mask ratio the class is read best?

In a world of 486 images of 16 leaves the spectrum of the graph and the labelling error
are known exactly. Its leaves alone say little of the class, so that untrained encoders,
which no mask has shaped and are the control, leave the probe room to rise.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.mask_connectivity import mask_connectivity

GRAPH_FORECAST = Experiment(
    question="Does the mask graph say at which mask ratio the class is read best?",
    expected={"mask_graph_alignment": "accuracy in the order of -(T_k + alpha)"},
    datasets=(RandomHierarchy,),
    methods=(MAE,),
    factors={"mask_ratio": (0.125, 0.25, 0.5, 0.75, 0.875), "stop": (0.0, 1.0)},
    settings={"symbols": 3, "rules": "random:2,shift:3", "noise": 0.05},
    metrics=(mask_connectivity, linear_probe),
    drawn=((mask_connectivity, "tail"), (mask_connectivity, "labelling_error")),
    cost="50 cells, 25 of them trained: about 3 minutes on two cores",
)
