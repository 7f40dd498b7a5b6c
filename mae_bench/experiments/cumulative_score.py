"""Do masked scores of all sizes add up to the evidence, and what does one size lose?

A chain of nine pixels is fitted to a field of 3 x 3, which it cannot be, and to another
chain. Of the field's evidence the best correlation for masks of 1, 3, 7 and 8 pixels
loses 0.02, 0.01, 0.11 and 0.37 nats an image; for all sizes together nothing. Of a
chain's no size loses any.
"""

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.experiments import Experiment
from mae_bench.methods.masked_score import MaskedScore
from mae_bench.metrics.evidence import evidence

CUMULATIVE_SCORE = Experiment(
    question="Do masked scores add up to the evidence, and what does one size lose?",
    expected={
        "cumulative_masked_score": "all sizes add up; a fixed ratio is biased where "
        "the model is wrong",
    },
    datasets=(GaussianField, ARChain),
    methods=(MaskedScore,),
    factors={"masked": (0, 1, 3, 7, 8)},
    settings={"image_size": 3, "samples": 10_000},
    metrics=(evidence,),
    cost="50 cells without training: about half a minute on one core",
    drawn=((evidence, "lost"),),
)
