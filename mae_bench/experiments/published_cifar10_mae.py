"""What does the MAE of CIFAR-10 learn whose fine-tuned accuracy is published?

A small ViT on patches of 2, raw pixels, no augmentation, 4,096 images a step, as
IcarusWizard/MAE trains it. What is published is the best epoch of fine-tuning on the
test images, which no instrument here does; frozen features are probed instead.
"""

from mae_bench.datasets.hub import Hub
from mae_bench.experiments import Experiment
from mae_bench.experiments._published import Published
from mae_bench.methods.mae import MAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe

PUBLISHED_CIFAR10_MAE = Experiment(
    question="What does the MAE of CIFAR-10 learn whose fine-tuning is published?",
    expected={},
    datasets=(Hub,),
    methods=(MAE,),
    factors={"stop": (0.25, 0.5, 0.75, 1.0)},
    settings={"name": "cifar10", "image_size": 32, "patch_size": 2},
    budgets={
        # 2,000 epochs of 12 steps, 200 of them to warm up; tier paper has its networks.
        "paper": {
            "steps": 24_000,
            "batch_size": 4096,
            "accumulate": 8,
            "lr": 2.4e-3,
            "weight_decay": 0.05,
            "warmup": 0.1,
        }
    },
    metrics=(knn_probe, linear_probe, convergence),
    cost="of tier paper 3 trainings of hours each, never timed",
    published=(
        Published(
            "mae",
            "",
            "",
            0.8977,
            "fine-tuned for 100 epochs, the best of them on the test images, one run; "
            "0.741 from scratch",
            "IcarusWizard/MAE",
        ),
    ),
)
