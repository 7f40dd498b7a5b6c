"""How much must a view's noise be aligned with what is irrelevant?

Signals of variance 1 beside nuisances of variance 1/2, 2 and 4; views whose noise along
the nuisance grows from none to 5 times the nuisance. Reconstruction has its step at
1 and 3 for the two large nuisances, joint embedding at 0; with isotropic noise as well,
beside the largest nuisance, at 6.75 and 0.75.
"""

from mae_bench.datasets.aligned_nuisance import AlignedNuisance
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_views import LinearViews
from mae_bench.metrics.signal_overlap import signal_overlap

AUGMENTATION_ALIGNMENT = Experiment(
    question="How much must augmentations be aligned with what is irrelevant?",
    expected={
        "aligned_augmentations": "joint embedding finds the signal at any alignment "
        "above 0, reconstruction above g/s - 1; with small nuisance it needs none",
        "spatial_correlations": "isotropic noise changes nothing of what "
        "reconstruction keeps",
    },
    datasets=(AlignedNuisance,),
    methods=(LinearViews,),
    factors={
        "objective": ("reconstruction", "joint_embedding"),
        "nuisance": (0.5, 2.0, 4.0),
        "isotropic": (0.0, 1.0),
        "alignment": (0.0, 0.1, 2.0, 5.0),
    },
    without=(
        {"isotropic": 1.0, "nuisance": 0.5},
        {"isotropic": 1.0, "nuisance": 2.0},
    ),
    # Small batches leave noise in the weights, which turns the subspace; between two
    # values that are near each other reconstruction decides slowly.
    budgets={"quick": {"batch_size": 512, "steps": 500, "warmup": 0.1}},
    longer={"quick": (({"objective": "reconstruction"}, 4),)},
    metrics=(signal_overlap,),
    cost="160 cells: about 4 minutes on one core",
    drawn=((signal_overlap, "overlap"),),
)
