"""How many different images does a network need, by what it predicts?

A mosaic of 64 leaves of four symbols. Recovered means told by a linear map of the mean
token; untrained encoders are the floor, and belief propagation is near 1. Every method
takes as many steps, whatever the number of images: with few it sees each more often.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.sample_complexity import rules_of
from mae_bench.methods.data2vec import Data2Vec
from mae_bench.methods.i_jepa import IJEPA
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics.level_accuracy import level_accuracy

IMAGES = (256, 1024, 4096, 16384)
TRAINED_PRODUCTIONS = (4, 8)

SAMPLE_COMPLEXITY_TRAINED = Experiment(
    question="How many images does a network need to find a hierarchy's latents?",
    expected={
        "latent_prediction": "fewer where a copy's tokens are predicted (data2vec, "
        "i_jepa) than where pixels are (mae), from the second level above the leaves on"
    },
    datasets=(RandomHierarchy,),
    methods=(MAE, Data2Vec, IJEPA, RandomInit),
    factors={
        "rules": tuple(rules_of(m, 3) for m in TRAINED_PRODUCTIONS),
        "train_images": IMAGES,
    },
    settings={"symbols": 4, "noise": 0.05},
    budgets={
        "quick": {
            "steps": 1000,
            "lr": 0.004,
            "warmup": 0.1,
            "depth": 3,
            "embed_dim": 48,
            "num_heads": 4,
            "decoder_num_heads": 4,
        }
    },
    metrics=(level_accuracy,),
    cost="160 cells, 120 of them trained: some two hours on one core",
    on_demand=True,
)
