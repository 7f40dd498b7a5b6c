"""Does Gaussian noise on the pixels change what a linear autoencoder keeps?

C and C + σ² I have the same eigenvectors, so the optimum's subspace is that of the
principal components whatever σ; masks change the eigenvectors.
"""

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.experiments import Experiment
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics.closed_form_gap import closed_form_gap

_LEVELS = (0.0, 0.25, 0.5, 1.0)

LINEAR_NOISE = Experiment(
    question="Does noise change what a linear autoencoder keeps, as masks do?",
    expected={
        "spatial_correlations": "the principal subspace at every noise, not under masks"
    },
    datasets=(GaussianField,),
    methods=(LinearMAE,),
    factors={"mask_ratio": (0.0, 0.9), "noise_std": _LEVELS},
    # Noise or masks, not both.
    without=tuple({"mask_ratio": 0.9, "noise_std": std} for std in _LEVELS[1:]),
    # As in linear_theory, whose masked cell is this one's.
    budgets={"quick": {"batch_size": 1024}},
    metrics=(closed_form_gap,),
    drawn=((closed_form_gap, "overlap_pca"),),
    cost="25 cells, 20 beyond linear_theory's: about half a minute on two cores",
)
