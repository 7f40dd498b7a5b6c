"""Is it better to hide principal components than patches, and of which size?

Digits, a quarter or three quarters hidden: of the patches, 16 of 2 x 2 pixels or 4 of
4 x 4, or of the variance. PMAE's own comparison has 16 patches, of 8 x 8 in 32.
"""

from mae_bench.datasets.digits import Digits
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.pmae import PMAE
from mae_bench.metrics.linear_probe import linear_probe

EIGENVECTOR_MASKS = Experiment(
    question="Is it better to hide principal components than patches?",
    expected={
        "eigenvector_masking": "PMAE above MAE at any patch size, at any ratio",
        "spatial_correlations": "MAE is the better, the smaller its patches",
    },
    datasets=(Digits,),
    methods=(MAE, PMAE),
    factors={
        "mask_ratio": (0.25, 0.75),
        "patch_size": (2, 4),
        "stop": (0.0, 1.0),
    },
    budgets={"quick": {"steps": 300}},
    metrics=(linear_probe,),
    cost="80 cells, 40 of them trained: about 4 minutes on one core",
    drawn=((linear_probe, ""),),
)
