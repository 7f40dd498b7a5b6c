"""MoCo v3's loss is what the double loop says; its patch embedding may be frozen."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.moco_v3 import MoCoV3, info_nce

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_info_nce(q: Tensor, k: Tensor, temperature: float) -> float:
    """Eq. 1 of the paper in loops, times 2 tau."""

    def s(i: int, j: int) -> float:
        a, b = q[i].tolist(), k[j].tolist()
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.hypot(*a) / math.hypot(*b)

    total = 0.0
    for i in range(len(q)):
        own = math.exp(s(i, i) / temperature)
        others = [math.exp(s(i, j) / temperature) for j in range(len(k)) if j != i]
        total -= math.log(own / (own + sum(others)))
    return 2 * temperature * total / len(q)


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 16), (9, 2)])
@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 10.0])
def test_info_nce_equals_the_double_loop(
    n: int, d: int, temperature: float, pairs
) -> None:
    q, k = pairs(n, d)
    slow = slow_info_nce(q, k, temperature)
    assert info_nce(q, k, temperature).item() == pytest.approx(slow, rel=1e-4, abs=1e-5)


def test_info_nce_at_its_ends_has_a_closed_form() -> None:
    n, t = 6, 0.5
    best = math.log(math.exp(1 / t) + n - 1) - 1 / t
    found = info_nce(torch.eye(n).double(), torch.eye(n).double(), t).item()
    assert found == pytest.approx(2 * t * best, abs=1e-6)
    together = torch.ones(n, 3).double()
    flat = info_nce(together, together, t).item()
    assert flat == pytest.approx(2 * t * math.log(n), abs=1e-6)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_positive_is_an_error(
    temperature: float, redrawn: Dataset, pairs
) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        info_nce(*pairs(3, 3), temperature)
    with pytest.raises(ValueError, match="must be above 0"):
        MoCoV3(redrawn, rng(), temperature=temperature)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_patches_embedding_is_trained_only_if_it_is_not_frozen(
    frozen: bool, redrawn: Dataset, train
) -> None:
    method = MoCoV3(redrawn, rng(), frozen_patch_embed=frozen, steps=3, **SMALL)
    before = method.encoder.patch_embed.weight.clone()
    train(method)
    assert torch.equal(method.encoder.patch_embed.weight, before) == frozen
