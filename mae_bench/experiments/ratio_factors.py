"""What does a mask ratio do: hide what is seen, or ask for more?

CrossMAE asks for as many of the masked patches as it is told to, and a prediction does
not depend on the others that are asked for. So of digits' 16 patches 4, 8 or 12 are
hidden, and 4, 8 or 12 of those that are hidden are told.
"""

from mae_bench.datasets.digits import Digits
from mae_bench.experiments import Experiment
from mae_bench.methods.cross_mae import CrossMAE
from mae_bench.metrics.linear_probe import linear_probe

RATIO_FACTORS = Experiment(
    question="What does a mask ratio do: hide what is seen, or ask for more?",
    expected={
        "corruption_and_prediction": "the more is hidden, the worse; the more is told "
        "of it, the better",
    },
    datasets=(Digits,),
    methods=(CrossMAE,),
    factors={
        "mask_ratio": (0.25, 0.5, 0.75),
        "prediction_ratio": (0.25, 0.5, 0.75),
        "stop": (0.0, 1.0),
    },
    # No more can be told than is hidden.
    without=(
        {"mask_ratio": 0.25, "prediction_ratio": 0.5},
        {"mask_ratio": 0.25, "prediction_ratio": 0.75},
        {"mask_ratio": 0.5, "prediction_ratio": 0.75},
    ),
    budgets={"quick": {"steps": 300}},
    metrics=(linear_probe,),
    cost="60 cells, 30 of them trained: about 3 minutes on one core",
    drawn=((linear_probe, ""),),
)
