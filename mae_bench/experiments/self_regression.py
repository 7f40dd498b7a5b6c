"""When do regressions of every pixel on the rest find a direction, and components not?

144 pixels, 288 or 72 samples of them: spikes are found beyond 0.71 or beyond 1.41. In
even noise the limits of the squared overlap are 0, 0.33, 0.70 and 0.86 at spikes of
0.35, 1, 2 and 4 with many samples, and 0, 0, 0.25 and 0.58 with few. In uneven noise,
four times as loud in half of the pixels, no limit is known here.
"""

from mae_bench.datasets.uneven_noise import UnevenNoise
from mae_bench.experiments import Experiment
from mae_bench.methods.self_regression import SelfRegression
from mae_bench.metrics.direction_overlap import direction_overlap

SELF_REGRESSION = Experiment(
    question="When do regressions of every pixel on the rest find a direction?",
    expected={
        "masked_self_regression": "beyond the threshold of spiked covariances; in "
        "uneven noise where components find none"
    },
    datasets=(UnevenNoise,),
    methods=(SelfRegression,),
    factors={
        "spike": (0.35, 1.0, 2.0, 4.0),
        "noise_ratio": (1.0, 4.0),
        "samples": (72, 288),
    },
    without=({"noise_ratio": 4.0, "samples": 72},),
    settings={"ridge": 0.1, "fits": 10},
    metrics=(direction_overlap,),
    cost="60 cells without training: about half a minute on one core",
    drawn=((direction_overlap, "regressions"), (direction_overlap, "components")),
)
