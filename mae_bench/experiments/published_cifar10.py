"""Is SimCLR's published accuracy on CIFAR-10 reached, by its recipe?

lightly trains on all 50,000 images and tells the best of 200 epochs on the test images,
of one run. Here a tenth of them is ``val``, for the same number of steps; both views go
through the encoder together; the end is told beside the best checkpoint.
"""

from mae_bench.datasets.hub import Hub
from mae_bench.experiments import Experiment
from mae_bench.experiments._published import Published
from mae_bench.methods.simclr_resnet import SimCLRResNet
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe

PUBLISHED_CIFAR10 = Experiment(
    question="Is SimCLR's published accuracy on CIFAR-10 reached, by its recipe?",
    expected={},
    datasets=(Hub,),
    methods=(SimCLRResNet,),
    factors={"stop": (0.25, 0.5, 0.75, 1.0)},
    settings={"name": "cifar10", "image_size": 32},
    budgets={
        # 200 epochs of 390 steps.
        "paper": {"steps": 78_000, "batch_size": 128, "lr": 0.06, "warmup": 0.0}
    },
    metrics=(knn_probe, linear_probe, convergence),
    cost="of tier paper 3 trainings of 98 minutes each, as others report",
    published=(
        Published(
            "simclr_resnet",
            "knn_probe",
            "k200",
            0.847,
            "200 neighbours at T = 0.1, the best of 200 epochs on the test images, one "
            "run",
            "lightly's benchmark of CIFAR-10, batch 128",
        ),
    ),
)
