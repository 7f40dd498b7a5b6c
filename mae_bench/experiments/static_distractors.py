"""Do encoders of frames learn what moves, or a distractor that stands still?

A distractor of a quarter of the signal's variance and of four times as much, still or
flickering. Along the axes joint embedding keeps what is most alike in two frames, ρ /
(1 + b) of the signal against s² / (s² + b) of a still distractor and 0 of one that
flickers; the reconstruction of a frame from the next keeps what explains most, ρ² /
(1 + b) against s⁴ / (s² + b); an autoencoder what varies most, 1 against s². At ρ = .8
and b = .02 these are

    s       still: joint embedding, reconstruction      autoencoder
    1/2     .78 < .93, signal .63 > .23                 1 > .25
    2       .78 < 1.00,       .63 < 3.98                1 < 4
"""

from mae_bench.datasets.distracted_frames import DistractedFrames
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_views import OBJECTIVES, LinearViews
from mae_bench.metrics.linear_r2 import linear_r2

STATIC_DISTRACTORS = Experiment(
    question="Do encoders of frames learn what moves, or what stands still?",
    expected={
        "slow_features": "joint embedding what stands still, however weak; pixels are "
        "explained by what is strong",
    },
    datasets=(DistractedFrames,),
    methods=(LinearViews,),
    factors={
        "objective": OBJECTIVES,
        "strength": (0.5, 2.0),
        "still": (True, False),
    },
    # Small batches leave noise in the weights, and reconstruction decides slowly.
    budgets={"quick": {"batch_size": 512, "steps": 500, "warmup": 0.1}},
    longer={
        "quick": (
            ({"objective": "reconstruction"}, 4),
            ({"objective": "autoencoding"}, 4),
        )
    },
    metrics=(linear_r2,),
    cost="60 cells: about 3 minutes on one core",
    drawn=((linear_r2, "level_0"), (linear_r2, "level_1")),
)
