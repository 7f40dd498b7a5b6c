"""What worlds of one kind share."""

import math
from collections.abc import Callable

import pytest
import torch

from mae_bench.datasets import Dataset, LinearGaussian


@pytest.fixture
def samples_agree() -> Callable[[Dataset], None]:
    """Samples of a linear Gaussian world have the covariances that it declares."""

    def check(world: Dataset, n: int = 40_000) -> None:
        assert isinstance(world, LinearGaussian)
        batch = world.sample(n, torch.Generator().manual_seed(1))
        x, C = batch.images.flatten(1).double(), world.covariance()
        spread = ((C.diag()[:, None] * C.diag() + C.square()) / n).sqrt()
        assert ((x.T @ x / n - C).abs() <= 5.5 * spread).all()
        # Whitened, the errors of a sample covariance are independent, N(0, 1 / n).
        L = torch.linalg.cholesky(C)
        white = torch.linalg.solve_triangular(L, x.T, upper=False)
        rows, columns = torch.triu_indices(len(L), len(L), offset=1)
        surprise = math.sqrt(n) * (white @ white.T / n)[rows, columns]
        four_sigma = 4 * math.sqrt(2 / len(rows))
        assert surprise.square().mean().item() == pytest.approx(1, abs=four_sigma)
        assert (white.square().mean(1) - 1).abs().max() < 5 * math.sqrt(2 / n)
        for level, z in batch.latents.items():
            cross = world.cross_covariance()[level]
            spread = ((C.diag() + cross.square()) / n).sqrt()
            assert ((z.double().T @ x / n - cross).abs() < 5.5 * spread).all()
            assert (z.double().var(0) - 1).abs().max() < 5.5 * math.sqrt(2 / n)

    return check
