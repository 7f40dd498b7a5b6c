"""VICReg's three terms are what the loops say; one of them keeps it from collapse."""

import math
import statistics

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.vicreg import (
    VICReg,
    covariance,
    invariance,
    variance,
    vicreg_loss,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_terms(z1: Tensor, z2: Tensor) -> tuple[float, list[float], list[float]]:
    """Eq. 1 to 5 in loops: s over d, then v and c of both views."""
    n, d = z1.shape
    squares = [(z1[i, j] - z2[i, j]).item() ** 2 for i in range(n) for j in range(d)]
    v, c = [], []
    for z in (z1, z2):
        columns = z.T.tolist()
        spread = [math.sqrt(statistics.variance(a) + 1e-4) for a in columns]
        v.append(sum(max(0.0, 1 - s) for s in spread) / d)
        shared = [
            statistics.covariance(columns[i], columns[j]) ** 2
            for i in range(d)
            for j in range(d)
            if i != j
        ]
        c.append(sum(shared) / d)
    return sum(squares) / (n * d), v, c


@pytest.mark.parametrize("n", [2, 3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
def test_the_terms_and_their_sum_equal_the_loops(n: int, d: int, pairs) -> None:
    z1, z2 = pairs(n, d)
    s, v, c = slow_terms(z1, z2)
    assert invariance(z1, z2).item() == pytest.approx(s)
    assert [variance(z).item() for z in (z1, z2)] == pytest.approx(v)
    assert [covariance(z).item() for z in (z1, z2)] == pytest.approx(c, abs=1e-12)
    for a, b, e in [(25.0, 25.0, 1.0), (1.0, 2.0, 3.0), (0.0, 0.0, 1.0)]:
        found = vicreg_loss(z1, z2, sim_coeff=a, std_coeff=b, cov_coeff=e).item()
        assert found == pytest.approx(a * s + b * sum(v) + e * sum(c), abs=1e-12)


def corners(d: int) -> Tensor:
    """All points of {-1, 1}^d: coordinates that vary and do not correlate."""
    return torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * d)


def test_views_that_agree_vary_and_do_not_correlate_cost_nothing() -> None:
    z = corners(3)
    assert vicreg_loss(z, z).item() == pytest.approx(0, abs=1e-9)
    assert vicreg_loss(z, z + 1).item() == pytest.approx(25)
    assert vicreg_loss(z, 3 * z).item() == pytest.approx(100)


def test_collapse_costs_the_whole_variance_term_and_copies_the_covariance() -> None:
    flat = torch.full((6, 4), 0.1)
    assert vicreg_loss(flat, flat).item() == pytest.approx(50 * 0.99, rel=1e-5)
    copied = corners(2)[:, :1].expand(-1, 4)
    # 12 covariances of 4 / 3, squared, over 4 coordinates, in both views.
    assert vicreg_loss(copied, copied).item() == pytest.approx(2 * 3 * (4 / 3) ** 2)


def test_where_nothing_varies_the_gradient_is_finite() -> None:
    z = torch.ones(4, 2, requires_grad=True)
    vicreg_loss(z, z.detach()).backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("name", ["sim_coeff", "std_coeff", "cov_coeff"])
@pytest.mark.parametrize("value", [-1.0, math.nan])
def test_a_weight_below_zero_is_an_error(
    name: str, value: float, redrawn: Dataset
) -> None:
    with pytest.raises(ValueError, match="must not be below 0"):
        VICReg(redrawn, rng(), **{name: value})


@pytest.mark.parametrize(("std_coeff", "apart"), [(25.0, True), (0.0, False)])
def test_it_is_the_variance_term_that_keeps_it_from_collapse(
    std_coeff: float, apart: bool, redrawn: Dataset, train
) -> None:
    small = {"embed_dim": 16, "depth": 1, "steps": 40, "batch_size": 32}
    method = VICReg(redrawn, rng(), std_coeff=std_coeff, **small)
    train(method)
    images = redrawn.sample(100, rng(11)).images
    deviation = method.projector(method.pooled(images)).std(0).mean()
    assert deviation > 0.3 if apart else deviation < 0.1


def test_views_are_compared_by_the_loss_with_the_weights_that_were_given(
    redrawn: Dataset, pairs
) -> None:
    z1, z2 = pairs(8, 4)
    for a, b, c in ((2.0, 3.0, 5.0), (0.0, 0.0, 0.0)):
        weights = {"sim_coeff": a, "std_coeff": b, "cov_coeff": c}
        found = VICReg(redrawn, rng(), **weights).compare(z1, z2)
        assert torch.equal(found, vicreg_loss(z1, z2, **weights))


def test_two_pairs_have_a_variance_and_one_has_none() -> None:
    z = torch.tensor([[1.0, 2.0], [3.0, 1.0]])
    assert vicreg_loss(z, z).isfinite()
    with pytest.raises(ValueError, match="1 pairs have no variance"):
        vicreg_loss(z[:1], z[:1])


def test_the_last_layer_has_no_bias_as_in_the_released_code(redrawn: Dataset) -> None:
    assert VICReg(redrawn, rng()).projector.out.bias is None
