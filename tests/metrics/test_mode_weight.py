"""Errors are 1 at the start and 0 at the weight; uncertainty is that of the images."""

import math

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.methods.mode_witness import ModeWitness
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.mode_weight import mode_weight
from mae_bench.oracles.mode_blindness import mode_uncertainty


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world, n=4000):
    return mode_weight(method, world, world.sample(n, rng()), rng())


def test_the_error_is_a_share_of_the_first_one():
    world = TwoModes(rng())
    method = ModeWitness(world, rng(), steps=100, lr=0.2)
    assert read(method, world)["error"] == 1.0
    method.logit.data.fill_(math.log(7 / 3))
    found = read(method, world)
    assert found["error"] == pytest.approx(0, abs=1e-6)
    assert found["error_exact"] == math.exp(-20 * mode_uncertainty(16, 0.6, 0.7))
    assert found["error_full"] == pytest.approx(math.exp(-20 * 0.21))


@pytest.mark.parametrize("mask_ratio", [0.875, 1.0])
def test_the_uncertainty_of_the_images_is_the_exact_one(mask_ratio):
    world = TwoModes(rng())
    found = read(ModeWitness(world, rng(), mask_ratio=mask_ratio), world)
    assert found["decay"] == pytest.approx(found["decay_exact"], abs=0.1)
    assert found["decay"] < 0


def test_schedules_of_several_ratios_have_no_decay():
    world = TwoModes(rng())
    for settings in ({"uniform": True}, {"full_masks": 0.05}):
        assert "decay" not in read(ModeWitness(world, rng(), **settings), world)


def test_other_methods_and_worlds_are_skipped():
    world, digits = TwoModes(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels is no model of two modes"):
        read(Pixels(world, rng()), world)
    for other in (digits, TwoModes(rng(), weight=0.5)):
        with pytest.raises(Skip, match="no two modes of unequal weight"):
            read(ModeWitness(other, rng()), other, n=2)
