"""Where does each method stand, between the floor and the ceiling?

Methods and worlds are those that join it; metrics as well, after those named here,
whose order is that of the columns of ``leaderboard.csv``. A method's learning rate in a
world is the one that ``learning_rates.csv`` has for it, chosen without labels; in a
world or tier that is not there, it is the tier's own.
"""

from collections.abc import Mapping

from mae_bench.experiments import Experiment
from mae_bench.experiments._chosen import LR, Chosen
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.attention import attention
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.metrics.block_r2 import block_r2
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.cka import cka
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.layer_similarity import layer_similarity
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.mcc import mcc
from mae_bench.metrics.partial_r2 import partial_r2
from mae_bench.metrics.participation_ratio import participation_ratio
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.metrics.uniformity import uniformity
from mae_bench.records.schema import Settings

BY_WORLD: Mapping[str, Settings] = {
    "mnist": {"patch_size": 4},
    "random_hierarchy": {"symbols": 3, "rules": "random:2,shift:3"},
    "sprites": {"patch_size": 8},
}

LEADERBOARD = Experiment(
    question="Where does each method stand, between the floor and the ceiling?",
    expected={
        "mask_graph_alignment": "u_mae above mae on probes; mae of low rank",
        "hierarchical_latents": "mae above random_init on the root",
        "locality_bias": "mae: near attention, diverse heads, layers alike",
        "attention_homogeneity": "simclr: far attention of like heads; mae: neither",
        "class_subspaces": "mae: attention as far in the first layer as in all",
        "occlusion_invariant_features": "mae below simclr on the probe of digits",
        "visible_share": "mae, u_mae: no difference that their intervals separate",
    },
    datasets=(),
    methods=(),
    metrics=(
        linear_r2,
        block_r2,
        mcc,
        ceiling_ratio,
        partial_r2,
        linear_probe,
        attentive_probe,
        knn_probe,
        effective_rank,
        participation_ratio,
        alignment,
        uniformity,
        cka,
        attention,
        layer_similarity,
        reconstruction_error,
        convergence,
    ),
    by_world=BY_WORLD,
    chosen=Chosen(LR),
    cost="660 cells in six worlds; MNIST and the hierarchy, 220 of them, about 50 "
    "minutes on two cores",
)
