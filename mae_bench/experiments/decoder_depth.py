"""How deep must the decoder be, which is thrown away after training?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising import Ising
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.attention import attention
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

DECODER_DEPTH = Experiment(
    question="How deep must the decoder be?",
    expected={
        "operator_kernel": "a clear drop of the probe at 0 and 1 blocks",
        "spatial_correlations": "best with 2 to 4 blocks",
        "local_contrast": "the decoder's attention stays near",
        "visible_share": "flat: what is visible does not change",
    },
    datasets=(GaussianTree, Ising),
    methods=(MAE,),
    factors={"decoder_depth": (0, 1, 2, 4, 8)},
    settings={"coupling": 0.0},  # independent spins: a world without structure
    metrics=(
        linear_r2,
        linear_probe,
        reconstruction_error,
        attention,
        jacobian_influence,
        convergence,
    ),
    drawn=(
        (linear_r2, "level_0"),
        (linear_probe, ""),
        (reconstruction_error, "masked"),
    ),
    cost="50 cells, 45 beyond the leaderboard's: about 4 minutes on two cores; the "
    "independent spins are a control",
)
