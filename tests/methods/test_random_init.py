"""The floor reads masked views as other encoders do; the rest is every method's."""

import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.random_init import RandomInit


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_can_be_shown_a_masked_view(stripes: Dataset) -> None:
    batch, method = stripes.sample(5, rng(1)), RandomInit(stripes, rng(2))
    masked = method.features(batch, torch.arange(4).repeat(5, 1))["mean"]
    whole = method.features(batch)["mean"]
    assert masked.shape == whole.shape
    assert not torch.allclose(masked, whole)
