"""Does a masked network learn how frequent a mode is?

Three worlds of two modes, one of them in 7 images of 10, and 64 patches. MAE sees 16 of
them, or a number between 1 and 63 that each step draws, or 16 but of 3 images in 64
none; and one, of which it cannot tell the mode. What a network takes for granted is
read from its prediction with nothing visible, which but for full masks it never saw
either. The share U of the mode's variance that is left by 16 and by 1 visible patches
is 0.012 and 0.68 in ``two_modes``, 0.013 and 0.65 in ``skewed_hierarchy`` (mean over
five worlds).
"""

from mae_bench.datasets.ising_phases import IsingPhases
from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.experiments import Experiment
from mae_bench.methods.full_mask_mae import FullMaskMAE
from mae_bench.methods.mae import MAE
from mae_bench.methods.r2_mae import R2MAE
from mae_bench.metrics.mode_frequency import mode_frequency

ONE_VISIBLE = 63 / 64

MODE_NETWORKS = Experiment(
    question="Does a masked network learn how frequent a mode is?",
    expected={
        "mode_blindness": "not from 16 visible patches, at no cost in loss; from one, "
        "from a uniform ratio or with a few full masks it does"
    },
    datasets=(TwoModes, IsingPhases, SkewedHierarchy),
    methods=(MAE, R2MAE, FullMaskMAE),
    factors={"mask_ratio": (0.75, ONE_VISIBLE)},
    without=tuple(
        {"method": method, "mask_ratio": ONE_VISIBLE}
        for method in ("r2_mae", "full_mask_mae")
    ),
    settings={"mask_ratio_min": 1 - ONE_VISIBLE, "mask_ratio_max": ONE_VISIBLE},
    # A patch is a spin, or a leaf.
    by_world={"two_modes": {"patch_size": 1}, "ising_phases": {"patch_size": 1}},
    budgets={"quick": {"steps": 500}},
    # There a network paints the mean image for some hundred steps.
    longer={"quick": (({"dataset": "skewed_hierarchy"}, 3),)},
    metrics=(mode_frequency,),
    drawn=((mode_frequency, "weight"),),
    cost="60 cells: 8 minutes on one core, and 12 for the hierarchy",
)
