"""Which mask ratio makes the encoder keep the root of the hierarchy?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.ising import Ising
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.attention import attention
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.cka import cka
from mae_bench.metrics.class_similarity import class_similarity
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.image_quality import image_quality
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.metrics.knowable_share import knowable_share
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.located_level import located_level
from mae_bench.metrics.reconstruction_error import reconstruction_error

# A hierarchy of which a single leaf says something, and which small networks learn.
OF_ONE_LEAF = "random:1,random:4"

MASK_RATIO = Experiment(
    question="Which mask ratio makes the encoder keep the root of the hierarchy?",
    expected={
        "hierarchical_latents": "inverted U: both extremes below the middle",
        "mask_graph_alignment": "inverted U: connectivity against labelling error",
        "spatial_correlations": "the reach of the Jacobian grows with the ratio",
        "local_contrast": "the distance of attention grows with the ratio",
        "visible_share": "falling: the more is visible in training, the better",
    },
    datasets=(GaussianTree, InvertibleTree, RandomHierarchy, Ising),
    methods=(MAE,),
    # Of 16 patches: 2 masked, to 1 visible.
    factors={"mask_ratio": (0.125, 0.25, 0.5, 0.75, 0.9375)},
    # At both ends the loss is far from flat after a quick training.
    longer={
        "quick": (
            ({"mask_ratio": 0.125}, 4),
            ({"mask_ratio": 0.9375}, 12),
            ({"dataset": "invertible_tree"}, 2),
            ({"dataset": "random_hierarchy"}, 2),
        )
    },
    settings={
        "coupling": 0.0,  # independent spins: a world without structure
        "rules": OF_ONE_LEAF,
    },
    views=("unmasked", "masked"),
    metrics=(
        linear_r2,
        ceiling,
        knowable_share,
        linear_probe,
        effective_rank,
        alignment,
        reconstruction_error,
        attention,
        cka,
        class_similarity,
        jacobian_influence,
        image_quality,
        located_level,
        convergence,
    ),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (effective_rank, "centred"),
    ),
    cost="100 cells, 95 beyond the leaderboard's: about 40 minutes on two cores",
)
