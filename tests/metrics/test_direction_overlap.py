"""Overlaps are 1 of the direction itself, and 0 of one at right angles."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.uneven_noise import UnevenNoise
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.self_regression import SelfRegression
from mae_bench.metrics import Skip
from mae_bench.metrics.direction_overlap import direction_overlap
from mae_bench.oracles.self_regression import leading_eigenvalue, squared_overlap


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world):
    return direction_overlap(method, world, world.sample(2, rng()), rng())


def test_overlaps_are_squared_cosines_and_their_mean():
    world = UnevenNoise(rng(), image_size=4, spike=2.0)
    method = SelfRegression(world, rng(1), samples=32, fits=2)
    u = world.direction
    across = torch.zeros(16).double()
    across[:2] = torch.stack([-u[1], u[0]]) / u[:2].norm()
    method.directions.copy_(torch.stack([u, -u]))
    method.components.copy_(torch.stack([u, across]))
    method.scaled.copy_(torch.stack([across, across]))
    found = read(method, world)
    named = ("regressions", "components", "scaled_components")
    assert [found[k] for k in named] == pytest.approx([1.0, 0.5, 0.0], abs=1e-12)
    assert found["limit"] == squared_overlap(2.0, 0.5)
    assert found["eigenvalue_limit"] == leading_eigenvalue(2.0, 0.5, 0.1)
    assert found["edge"] < found["eigenvalue_limit"]
    assert found["eigenvalue"] == pytest.approx(method.values.mean().item())


def test_other_methods_and_worlds_are_skipped():
    world, digits = UnevenNoise(rng(), image_size=4), Digits(rng())
    with pytest.raises(Skip, match="Pixels regresses no pixel"):
        read(Pixels(world, rng()), world)
    with pytest.raises(Skip, match="Digits has no direction"):
        read(SelfRegression(digits, rng(), fits=1), digits)
