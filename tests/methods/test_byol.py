"""BYOL's loss is its formula; without predictor and copies it collapses."""

import math

import pytest
import torch
from torch import nn

from mae_bench.datasets import Dataset
from mae_bench.methods.byol import BYOL, normalised_error
from mae_bench.models.momentum import frozen_copy
from mae_bench.models.projector import Projector
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("n", "d"), [(1, 2), (3, 1), (8, 5)])
def test_the_error_equals_the_loop(n: int, d: int, pairs) -> None:
    q, z = (v.double() for v in pairs(n, d))
    total = 0.0
    for a, b in zip(q.tolist(), z.tolist(), strict=True):
        one, two = math.hypot(*a), math.hypot(*b)
        total += sum((x / one - y / two) ** 2 for x, y in zip(a, b, strict=True))
    assert normalised_error(q, z).item() == pytest.approx(total / n, abs=1e-6)


def test_the_error_at_its_ends_and_as_a_cosine(pairs) -> None:
    q, z = pairs(7, 4)
    assert normalised_error(q, 2 * q).item() == pytest.approx(0, abs=1e-6)
    assert normalised_error(q, -q).item() == pytest.approx(4)
    assert normalised_error(torch.eye(4), torch.eye(4).roll(1, 0)).item() == 2
    cosine = torch.cosine_similarity(q, z).mean()
    torch.testing.assert_close(normalised_error(q, z), 2 - 2 * cosine)


def plain(method: BYOL) -> BYOL:
    """The same without batch norm."""
    method.projector = Projector(rng(9), in_dim=16, hidden_dim=64, out_dim=64)
    method.predictor = Projector(rng(10), in_dim=64, hidden_dim=64, out_dim=64)
    method.momentum_projector = frozen_copy(method.projector)
    return method


def test_the_predictor_and_the_slow_copy_keep_it_apart_without_batch_norm(
    redrawn: Dataset, train, spread
) -> None:
    """The paper's claim (Sec. 5, Table 5): without both, all projections are one."""
    images = redrawn.sample(200, rng(11)).images
    budget = {**SMALL, "steps": 60, "batch_size": 32}
    whole = plain(BYOL(redrawn, rng(), **budget))
    bare = plain(BYOL(redrawn, rng(), momentum=0.0, **budget))
    bare.predictor = nn.Identity()
    for method in (whole, bare):
        train(method)
    assert spread(whole.projector(whole.pooled(images))) > 0.3
    assert spread(bare.projector(bare.pooled(images))) < 0.05


def test_its_settings_are_the_papers() -> None:
    settings = registry.settings(BYOL)
    assert settings["momentum"] == 0.99
    assert settings["predictor_hidden_dim"] == settings["projector_hidden_dim"]
