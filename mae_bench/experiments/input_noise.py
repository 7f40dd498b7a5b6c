"""Is it the masks, or would noise on the pixels, or nothing at all, do as well?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising import Ising
from mae_bench.experiments import Experiment
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.denoising import Denoising
from mae_bench.methods.mae import MAE
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.rank_tail import rank_tail

INPUT_NOISE = Experiment(
    question="Would noise on the pixels, or nothing, do as well as masks?",
    expected={
        "mask_graph_alignment": "the autoencoder, which sees everything, far below",
        "spatial_correlations": "autoencoder <= denoising < mae, in reach and probe",
        "visible_share": "mae below both: it sees the least",
    },
    datasets=(GaussianTree, Ising),
    methods=(MAE, Autoencoder, Denoising),
    factors={"noise_std": (0.2, 1.0)},
    settings={"coupling": 0.0},  # independent spins: a world without structure
    metrics=(linear_r2, linear_probe, effective_rank, jacobian_influence, rank_tail),
    cost="40 cells, 35 beyond the leaderboard's: about 3 minutes on two cores; the "
    "independent spins are a control",
)
