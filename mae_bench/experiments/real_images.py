"""Is what is learned worth more than the pixels, where pixels do not tell it all?

On 8 x 8 digits a linear probe of the pixels is nearly perfect, and an untrained encoder
not far behind. On digits of 28 x 28 it is below the pixels, and MAE above (untrained
.74, pixels .89, MAE .94, of five seeds). Patches of photographs are hardly told apart
by their pixels (.24 of ten sources), by an untrained encoder better (.59), and by MAE,
in as many steps, no better (.59). MAE takes three times the steps of the supervised
encoder: after as many it is still on its way.
"""

from mae_bench.datasets.mnist import MNIST
from mae_bench.datasets.patches import Patches
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.random_init import RandomInit
from mae_bench.methods.supervised import Supervised
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.reconstruction_error import reconstruction_error

REAL_IMAGES = Experiment(
    question="Is what is learned worth more than the pixels, of images of the world?",
    expected={},
    datasets=(MNIST, Patches),
    methods=(Pixels, RandomInit, MAE, Supervised),
    settings={"patch_size": 4},
    budgets={
        "quick": {
            "embed_dim": 64,
            "depth": 3,
            "num_heads": 4,
            "decoder_num_heads": 4,
            "lr": 0.003,
            "warmup": 0.1,
        }
    },
    longer={"quick": (({"method": "mae"}, 3),)},
    metrics=(
        linear_probe,
        knn_probe,
        effective_rank,
        reconstruction_error,
        convergence,
    ),
    cost="40 cells, 20 of them trained: about 20 minutes on two cores",
)
