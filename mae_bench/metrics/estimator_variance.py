"""How much worse than maximum likelihood a masked likelihood knows a correlation."""

from typing import cast

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.ar_chain import ARChain
from mae_bench.methods import Method
from mae_bench.methods.masked_likelihood import MaskedLikelihood
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.masked_likelihood import (
    Masks,
    fisher_information,
    relative_variance,
)


@metric(
    reads="encoder",
    direction="min",
    unit={"error*": "ratio to the Cramér-Rao bound", "*": "relative difference"},
    lower=0.0,
    version=1,
    source="Li et al. 2024, arXiv 2407.21046",
)
def estimator_variance(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Mean squared error over the Cramér-Rao bound, n I E (φ̂ - φ)².

    Args:
        method: A ``MaskedLikelihood``.
        dataset: An ``ARChain``, whose φ is known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``error``: the mean over the method's fits, 1 for an efficient estimate;
        ``error_exact``, its limit of many samples; ``gap``, the relative difference;
        ``gap_efficient``, that from 1.

    Raises:
        Skip: Another method or world.
    """
    del batch, generator
    if not isinstance(method, MaskedLikelihood):
        raise Skip(f"{type(method).__name__} estimates no correlation")
    if not isinstance(dataset, ARChain):
        raise Skip(f"{type(dataset).__name__} has no correlation to be estimated")
    squared = (method.estimates - dataset.phi).square().mean().item()
    bound = method.samples * fisher_information(method.length, dataset.phi)
    exact = relative_variance(
        method.length, dataset.phi, method.masked, cast(Masks, method.masks)
    )
    error = bound * squared
    return {
        "error": error,
        "error_exact": exact,
        "gap": error / exact - 1,
        "gap_efficient": error - 1,
    }
