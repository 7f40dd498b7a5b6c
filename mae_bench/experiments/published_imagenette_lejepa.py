"""Is LeJEPA's published accuracy on Imagenette reached, by its recipe?

Its minimal code fits the probe while the encoder trains, on the views and their 512
values after a layer norm, and tells one run's accuracy on the validation images (here
``test``), not of which epoch. Here frozen features of whole images are probed, of which
the 512 values are a linear map, and a tenth of the training images is ``val``, for the
same number of steps. What the method does otherwise is said in ``lejepa_vit``.
"""

from mae_bench.datasets.image_folder import ImageFolder
from mae_bench.experiments import Experiment
from mae_bench.experiments._published import Published
from mae_bench.methods.lejepa_vit import LeJEPAViT
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe

PUBLISHED_IMAGENETTE_LEJEPA = Experiment(
    question="Is LeJEPA's published accuracy on Imagenette reached, by its recipe?",
    expected={},
    datasets=(ImageFolder,),
    methods=(LeJEPAViT,),
    factors={"stop": (0.25, 0.5, 0.75, 1.0)},
    settings={"path": "imagenette2", "image_size": 128, "patch_size": 8},
    budgets={
        "paper": {
            "embed_dim": 384,
            "depth": 12,
            "num_heads": 6,
            "bottleneck": 512,
            "projector_hidden_dim": 2048,
            "projector_dim": 16,
            "lamb": 0.02,
            "views": 4,
            "crops": 0.08,
            # 800 epochs of 36 steps, one of them to warm up.
            "steps": 28_800,
            "batch_size": 256,
            "lr": 2e-3,
            "warmup": 0.00125,
            "weight_decay": 0.05,
        }
    },
    metrics=(knn_probe, linear_probe, convergence),
    cost="of tier paper 3 trainings of 200 minutes each, as others report",
    published=(
        Published(
            "lejepa_vit",
            "linear_probe",
            "",
            0.907,
            "an online linear probe in 800 epochs on the validation images, one run",
            "LeJEPA's minimal code, Imagenette at 128 pixels, ViT-S/8",
        ),
    ),
)
