"""Are the published MAE and SimMIM of small Imagenette reached, by their recipe?

lightly tells the best of 800 epochs on the validation images (here ``test``), one run.
Its table says ViT-S and does not say the patch: here it is 16. Pixels are predicted as
they are, by a decoder of one block; of SimMIM by a linear map.
"""

from mae_bench.datasets.image_folder import ImageFolder
from mae_bench.experiments import Experiment
from mae_bench.experiments._published import Published
from mae_bench.methods.mae import MAE
from mae_bench.methods.sim_mim import SimMIM
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe

_BY = (
    "neighbours, the best of 800 epochs on the validation images, one run",
    "lightly's benchmark of Imagenette at 128 pixels",
)

PUBLISHED_IMAGENETTE_128 = Experiment(
    question="Are the published MAE and SimMIM of small Imagenette reached?",
    expected={},
    datasets=(ImageFolder,),
    methods=(MAE, SimMIM),
    factors={"stop": (0.25, 0.5, 0.75, 1.0)},
    settings={"path": "imagenette2", "image_size": 128, "patch_size": 16},
    budgets={
        "paper": {
            "embed_dim": 384,
            "depth": 12,
            "num_heads": 6,
            "decoder_embed_dim": 512,
            "decoder_depth": 1,
            "decoder_num_heads": 16,
            # 800 epochs of 36 steps, 10 of them to warm up.
            "steps": 28_800,
            "batch_size": 256,
            "lr": 1.5e-4,
            "warmup": 0.0125,
            "weight_decay": 0.05,
            "crops": 0.2,
        }
    },
    metrics=(knn_probe, linear_probe, convergence),
    cost="of tier paper 6 trainings of hours each, as others report",
    published=(
        Published("mae", "knn_probe", "k200", 0.610, *_BY),
        Published("sim_mim", "knn_probe", "k200", 0.343, *_BY),
    ),
)
