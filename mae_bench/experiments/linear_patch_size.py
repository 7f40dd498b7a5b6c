"""Do larger patches make a linear MAE reach farther?

Fields of 16 pixels a side whose correlations are longer, or shorter, than most of the
patches. Training descends the expected loss: the noise of drawn images and masks would
pass for reach, the more so the more weights there are.
"""

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics.closed_form_gap import closed_form_gap

LINEAR_PATCH_SIZE = Experiment(
    question="Do larger patches make a linear MAE reach farther?",
    expected={
        "spatial_correlations": "the paper: farther with the patch; its closed form: "
        "farthest where the patch is as long as the correlations"
    },
    datasets=(GaussianField,),
    methods=(LinearMAE,),
    factors={"patch_size": (1, 2, 4, 8), "length": (0.25, 1.0, 4.0)},
    settings={"image_size": 16, "rank": 256, "mask_ratio": 0.75, "expected": True},
    budgets={"quick": {"steps": 500, "batch_size": 1}},
    metrics=(closed_form_gap,),
    drawn=((closed_form_gap, "radius"), (closed_form_gap, "out_of_patch_share")),
    cost="60 cells: about 2.5 minutes on two cores",
)
