"""Where does U-MAE's bound lead an encoder that can be any function?

Nothing is trained: a table of features, one row a visible part, descends the bound, at
the width and the weight of uniformity that a U-MAE would have.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.spectral_descent import spectral_descent

SPECTRAL_LIMIT = Experiment(
    question="Does a free encoder reach the top eigenvectors of the mask graph?",
    expected={"mask_graph_alignment": "angle 0 to the top k eigenvectors"},
    datasets=(RandomHierarchy,),
    methods=(UMAE,),
    factors={"bottleneck": (2, 4), "lamb": (0.01, 1.0)},
    settings={
        "symbols": 4,
        "rules": "random:8",
        "noise": 0.05,
        "mask_ratio": 0.5,
        "stop": 0.0,
    },
    metrics=(spectral_descent,),
    cost="20 cells, none of them trained: seconds",
)
