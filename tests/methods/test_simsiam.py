"""SimSiam's loss is its formula; without batch norm it nearly collapses."""

import math

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.simsiam import SimSiam, negative_cosine
from mae_bench.models.projector import Projector
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("n", "d"), [(1, 2), (3, 1), (8, 5)])
def test_the_negative_cosine_equals_the_loop(n: int, d: int, pairs) -> None:
    p, z = pairs(n, d)
    total = 0.0
    for a, b in zip(p.tolist(), z.tolist(), strict=True):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        total -= dot / math.hypot(*a) / math.hypot(*b)
    assert negative_cosine(p, z).item() == pytest.approx(total / n, abs=1e-6)


def test_the_negative_cosine_at_its_ends(pairs) -> None:
    p, _ = pairs(7, 4)
    assert negative_cosine(p, 2 * p).item() == pytest.approx(-1)
    assert negative_cosine(p, -p).item() == pytest.approx(1)
    together = torch.ones(5, 3)
    assert negative_cosine(together, together).item() == pytest.approx(-1)
    assert negative_cosine(torch.eye(4), torch.eye(4).roll(1, 0)) == 0


def test_without_batch_norm_all_projections_become_nearly_one(
    redrawn: Dataset, train, spread
) -> None:
    method = SimSiam(redrawn, rng(), steps=60, batch_size=32, **SMALL)
    method.projector = Projector(rng(9), in_dim=16, hidden_dim=64, out_dim=64)
    method.predictor = Projector(rng(10), in_dim=64, hidden_dim=16, out_dim=64)
    images = redrawn.sample(200, rng(11)).images
    assert spread(method.projector(method.pooled(images))) > 0.3
    train(method)
    assert spread(method.projector(method.pooled(images))) < 0.1


def test_its_predictor_is_a_quarter_as_wide_as_the_projections(
    redrawn: Dataset,
) -> None:
    settings = registry.settings(SimSiam)
    assert 4 * settings["predictor_hidden_dim"] == settings["projector_dim"]
    assert (
        SimSiam(redrawn, rng(), predictor_hidden_dim=5).predictor.hidden.out_features
        == 5
    )
    with pytest.raises(ValueError, match="must all be at least 1"):
        SimSiam(redrawn, rng(), predictor_hidden_dim=0)
