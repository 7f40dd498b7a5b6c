"""Which schedule of masks lets a masked predictor learn how frequent a mode is?

64 spins of two modes, one of them in 7 images of 10; a model that knows all but this
number learns it from masks of one ratio, from as many visible spins as chance will
have it, or with all masked in one image of twenty. The exact sensitivities are 0.00005,
0.0025, 0.019 and 0.21 at ratios 0.5, 0.75, 0.875 and 1; 0.012 uniform; 0.013 at 0.75
with full masks. In a time of 200 what is left of the error is its exp(-200 U).
"""

from mae_bench.datasets.two_modes import TwoModes
from mae_bench.experiments import Experiment
from mae_bench.methods.mode_witness import ModeWitness
from mae_bench.metrics.mode_weight import mode_weight

MODE_SCHEDULES = Experiment(
    question="Which masks let a predictor learn how frequent a mode is?",
    expected={
        "mode_blindness": "the less is masked, the slower, exponentially; a few full "
        "masks, or a uniform ratio, repair it"
    },
    datasets=(TwoModes,),
    methods=(ModeWitness,),
    factors={
        "mask_ratio": (0.5, 0.75, 0.875, 1.0),
        "uniform": (False, True),
        "full_masks": (0.0, 0.05),
    },
    without=(
        {"uniform": True, "full_masks": 0.05},
        *({"uniform": True, "mask_ratio": ratio} for ratio in (0.5, 0.875, 1.0)),
        {"full_masks": 0.05, "mask_ratio": 1.0},
    ),
    # A time of 200 in steps that are well below 2 / curvature, 9.5 at most.
    settings={"lr": 0.2},
    budgets={"quick": {"steps": 1000, "batch_size": 128}},
    metrics=(mode_weight,),
    cost="40 cells: about a minute on one core",
    drawn=((mode_weight, "error"),),
)
