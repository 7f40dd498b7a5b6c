"""How many different images does a network need, by what it predicts?

A mosaic of 64 leaves of four symbols. A patch is the square of four leaves under one
node, so that the first level is read of a patch by whoever looks at it, and the second
must be learned from which patches go together. All methods hide the same quarter of the
patches and take as many steps, whatever the number of images: with few, each is seen
more often.

One learning rate serves all, for each would choose it without labels: of .001, .002,
.004 and .008 (a trial each, at a seed of its own, m = 4, 16,384 images) MAE's loss is
.916, .859, .827 and .872, and RankMe of data2vec 17.13, 19.12, 19.13 and 15.48, of
I-JEPA 16.96, 18.04, 19.00 and 15.15.
"""

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.sample_complexity import rules_of
from mae_bench.methods.data2vec import Data2Vec
from mae_bench.methods.i_jepa import IJEPA
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics.level_accuracy import level_accuracy

# Without a network the second level takes some 550 strings from latents and 2,300 from
# tokens at m = 4 (of eight symbols): see ``sample_complexity``.
IMAGES = (256, 1024, 4096, 16384)
TRAINED_PRODUCTIONS = (3, 4, 6)

SAMPLE_COMPLEXITY_TRAINED = Experiment(
    question="How many images does a network need to find a hierarchy's latents?",
    expected={
        "latent_prediction": "fewer where a copy's tokens are predicted (data2vec, "
        "i_jepa) than where pixels are (mae), of the second level above the leaves"
    },
    datasets=(RandomHierarchy,),
    methods=(MAE, Data2Vec, IJEPA, RandomInit),
    factors={
        "rules": tuple(rules_of(m, 3) for m in TRAINED_PRODUCTIONS),
        "train_images": IMAGES,
    },
    settings={
        "symbols": 4,
        "noise": 0.05,
        "patch_size": 4,
        "mask_ratio": 0.25,
        "mask_family": "random",
    },
    budgets={"quick": {"steps": 2000, "lr": 0.004, "warmup": 0.1}},
    metrics=(level_accuracy,),
    cost="240 cells, 180 of them trained: some 70 minutes on one core",
    on_demand=True,
)
