"""Are the published MAE and I-JEPA of large Imagenette reached, by their recipe?

stable-pretraining tells the best of 200 epochs on the validation images, here ``test``,
of one run, and of I-JEPA that it has the paper's settings for ImageNet; here both share
MAE's, and I-JEPA hides one block and not four.
"""

from mae_bench.datasets.image_folder import ImageFolder
from mae_bench.experiments import Experiment
from mae_bench.experiments._published import Published
from mae_bench.methods.i_jepa import IJEPA
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe

_BY = (
    "the best of 200 epochs on the validation images, one run",
    "stable-pretraining's results on Imagenette at 224 pixels, ViT-S/16",
)

PUBLISHED_IMAGENETTE_224 = Experiment(
    question="Are the published MAE and I-JEPA of large Imagenette reached?",
    expected={},
    datasets=(ImageFolder,),
    methods=(MAE, IJEPA),
    factors={"stop": (0.25, 0.5, 0.75, 1.0)},
    settings={"path": "imagenette2", "image_size": 224, "patch_size": 16},
    budgets={
        "paper": {
            "embed_dim": 384,
            "depth": 12,
            "num_heads": 6,
            "norm_pix_loss": True,
            "decoder_embed_dim": 384,
            "decoder_depth": 4,
            "decoder_num_heads": 6,
            # 200 epochs of 73 steps, 10 of them to warm up.
            "steps": 14_600,
            "batch_size": 128,
            "lr": 5e-4,
            "warmup": 0.05,
            "weight_decay": 0.05,
            "crops": 0.2,
        }
    },
    metrics=(knn_probe, linear_probe, convergence),
    cost="of tier paper 6 trainings of hours each, as others report",
    published=(
        Published("mae", "linear_probe", "", 0.841, *_BY),
        Published("mae", "knn_probe", "k20", 0.721, *_BY),
        Published("i_jepa", "linear_probe", "", 0.340, *_BY),
        Published("i_jepa", "knn_probe", "k20", 0.332, *_BY),
    ),
)
