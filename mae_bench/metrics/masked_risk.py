"""Exact test risk of a regression that was fitted on masked covariates."""

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.datasets.spiked_field import SpikedField
from mae_bench.methods import Method
from mae_bench.methods.ridgeless import Ridgeless
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.masked_regression import excess_risk


@metric(
    reads="encoder",
    direction="min",
    unit={"gap*": "relative difference", "*": "share of the signal's variance"},
    version=1,
    source="Dong, Wang & Kluger 2025, arXiv 2509.21650",
)
def masked_risk(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Mean over fits of E (β̂ᵀx - βᵀx)² / E (βᵀx)² on whole images x.

    It is computed from the pixels' covariance: nothing is sampled.

    Args:
        method: A ``Ridgeless``.
        dataset: A Gaussian world, whose covariance is known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``risk``, in [0, inf), 1 for β̂ = 0. In a ``SpikedField`` also ``limit``, what
        it is in the limit of many covariates and samples, and relative differences
        from it: ``gap``, and ``gap_unmasked`` from the limit without masks.

    Raises:
        Skip: Another method, another world, or a last pixel that none predicts.
    """
    del batch, generator
    if not isinstance(method, Ridgeless):
        raise Skip(f"{type(method).__name__} is no ridgeless regression")
    if not isinstance(dataset, LinearGaussian):
        raise Skip(f"the pixels' covariance of {type(dataset).__name__} is not known")
    covariance = dataset.covariance().cpu()
    risk = relative_risk(method.coefficients.cpu(), covariance)
    found = {"risk": risk}
    if isinstance(dataset, SpikedField):
        size = (len(covariance) - 1, method.samples)
        world = {"spike": dataset.spike, "noise": dataset.target_noise}
        limit = excess_risk(method.mask_ratio, *size, **world)
        found["limit"] = limit
        found["gap"] = risk / limit - 1
        found["gap_unmasked"] = risk / excess_risk(0.0, *size, **world) - 1
    return found


def relative_risk(
    coefficients: Float[Tensor, "fits k"], covariance: Float[Tensor, "d d"]
) -> float:
    """Excess risk of predicting the last of d pixels, over that of predicting 0.

    Raises:
        Skip: The other pixels do not predict it.
    """
    C, cross = covariance[:-1, :-1], covariance[:-1, -1]
    beta = torch.linalg.solve(C, cross)
    signal = beta @ cross
    if signal <= 1e-9 * covariance[-1, -1]:
        raise Skip("the last pixel has nothing to do with the others")
    error = coefficients - beta
    risk: Tensor = (error @ C * error).sum(1).mean() / signal
    return risk.item()
