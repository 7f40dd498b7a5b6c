"""How far a planted direction is found by regressions of every pixel on the rest."""

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.uneven_noise import UnevenNoise
from mae_bench.methods import Method
from mae_bench.methods.self_regression import SelfRegression
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.self_regression import leading_eigenvalue, squared_overlap


@metric(
    reads="encoder",
    direction="none",
    version=1,
    unit={"eigenvalue*": "eigenvalue", "edge": "eigenvalue", "*": "squared cosine"},
    source="Wortsman Zurich et al. 2026, arXiv 2601.23208; the limits are those of "
    "spiked covariances",
)
def direction_overlap(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Mean over fits of (vᵀu)², of the regressions, of components, and in the limit.

    Args:
        method: A ``SelfRegression``.
        dataset: ``UnevenNoise``, whose direction u is known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``regressions``, ``components``, ``scaled_components`` in [0, 1]; ``limit``,
        that of many pixels in even noise. ``eigenvalue``, the largest of the matrix of
        regressions, its ``eigenvalue_limit`` and ``edge``, that without a spike.

    Raises:
        Skip: Another method or world.
    """
    del batch, generator
    if not isinstance(method, SelfRegression):
        raise Skip(f"{type(method).__name__} regresses no pixel on the others")
    if not isinstance(dataset, UnevenNoise):
        raise Skip(f"{type(dataset).__name__} has no direction to be found")
    u = dataset.direction
    gamma = len(u) / method.samples

    def overlap(found: Tensor) -> float:
        return float((found.cpu() @ u).square().mean())

    return {
        "regressions": overlap(method.directions),
        "components": overlap(method.components),
        "scaled_components": overlap(method.scaled),
        "limit": squared_overlap(dataset.spike, gamma),
        "eigenvalue": method.values.mean().item(),
        "eigenvalue_limit": leading_eigenvalue(dataset.spike, gamma, method.ridge),
        "edge": leading_eigenvalue(0.0, gamma, method.ridge),
    }
