"""How much of the signal a linear encoder of noisy views keeps, beside the optimum."""

from typing import cast

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.aligned_nuisance import SIGNALS, AlignedNuisance
from mae_bench.methods import Method
from mae_bench.methods.linear_views import LinearViews
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.aligned_views import Objective, kept_signal
from mae_bench.oracles.principal_angle import principal_angle


@metric(
    reads="encoder",
    direction="none",
    unit="squared cosine",
    lower=0.0,
    upper=1.0,
    version=1,
    source="Van Assel et al. 2025, arXiv 2505.12477",
)
def signal_overlap(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Mean squared cosine of the angles between the encoder's and the signal's space.

    It is read from the weights: nothing is sampled.

    Args:
        method: A ``LinearViews`` with as many features as there are signals.
        dataset: An ``AlignedNuisance``.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``overlap``, 1 if all that is kept is signal, 0.25 on average of an arbitrary
        encoder; ``exact``, that of the best encoder of the method's objective;
        ``exact_other``, of the other objective's.

    Raises:
        Skip: Another method, world or number of features.
    """
    del batch, generator
    if not isinstance(method, LinearViews):
        raise Skip(f"{type(method).__name__} is no linear encoder of views")
    if not isinstance(dataset, AlignedNuisance):
        raise Skip(f"the signals of {type(dataset).__name__} are not known")
    if method.A.shape[1] != SIGNALS:
        raise Skip(f"the closed form is of {SIGNALS} features")
    signal = dataset.basis[:, :SIGNALS]
    angles = principal_angle(method.A.detach().double().cpu(), signal)
    objective = cast(Objective, method.objective)
    other: Objective = (
        "joint_embedding" if objective == "reconstruction" else "reconstruction"
    )
    world = (dataset.nuisance, dataset.alignment, dataset.isotropic)
    return {
        "overlap": angles.cos().square().mean().item(),
        "exact": kept_signal(objective, *world),
        "exact_other": kept_signal(other, *world),
    }
