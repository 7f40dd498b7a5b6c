"""NT-Xent is what the double loop says."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.simclr import SimCLR, nt_xent


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> float:
    """Eq. 1 of the paper in loops, with its pairs (2k - 1, 2k) side by side."""
    rows = [row for pair in zip(z1.tolist(), z2.tolist(), strict=True) for row in pair]

    def s(i: int, j: int) -> float:
        dot = sum(a * b for a, b in zip(rows[i], rows[j], strict=True))
        return dot / math.hypot(*rows[i]) / math.hypot(*rows[j])

    def entropy(i: int, j: int) -> float:
        others = [k for k in range(len(rows)) if k != i]
        below = sum(math.exp(s(i, k) / temperature) for k in others)
        return -math.log(math.exp(s(i, j) / temperature) / below)

    halves = range(0, len(rows), 2)
    return sum(entropy(i, i + 1) + entropy(i + 1, i) for i in halves) / len(rows)


@pytest.mark.parametrize("n", [2, 3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 10.0])
def test_nt_xent_equals_the_double_loop(
    n: int, d: int, temperature: float, pairs
) -> None:
    z1, z2 = pairs(n, d)
    fast = nt_xent(z1, z2, temperature).item()
    assert fast == pytest.approx(slow_nt_xent(z1, z2, temperature), rel=1e-5, abs=1e-5)


def test_nt_xent_at_its_ends_has_a_closed_form() -> None:
    n, t = 6, 0.5
    apart = torch.eye(n).double()  # every pair agrees, and is orthogonal to the others
    best = math.log(math.exp(1 / t) + 2 * n - 2) - 1 / t
    assert nt_xent(apart, apart, t).item() == pytest.approx(best, abs=1e-6)
    together = torch.ones(n, 3).double()
    flat = math.log(2 * n - 1)
    assert nt_xent(together, together, t).item() == pytest.approx(flat, abs=1e-6)


def test_nt_xent_rises_when_the_partners_are_swapped_round(pairs) -> None:
    z1, _ = pairs(9, 8)
    assert nt_xent(z1, z1, 0.5) < nt_xent(z1, z1.roll(1, 0), 0.5) - 0.5


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_positive_is_an_error(
    temperature: float, redrawn: Dataset, pairs
) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        nt_xent(*pairs(3, 3), temperature)
    with pytest.raises(ValueError, match="must be above 0"):
        SimCLR(redrawn, rng(), temperature=temperature)
