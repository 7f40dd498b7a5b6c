"""An encoder of signals has overlap 1, of nuisances 0; the exact ones stand beside."""

import pytest
import torch

from mae_bench.datasets.aligned_nuisance import AlignedNuisance
from mae_bench.datasets.digits import Digits
from mae_bench.methods.linear_views import LinearViews
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.signal_overlap import signal_overlap


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world):
    return signal_overlap(method, world, world.sample(2, rng()), rng())


def test_it_is_the_share_of_the_directions_that_are_signal():
    world = AlignedNuisance(rng(), nuisance=4.0, alignment=1.0)
    method = LinearViews(world, rng())
    turn = torch.randn(4, 4, generator=rng(3))
    for columns, expected in (
        ([0, 1, 2, 3], 1.0),
        ([4, 5, 6, 7], 0.0),
        ([0, 1, 8, 9], 0.5),
    ):
        method.A.data = world.basis[:, columns].float() @ turn
        found = read(method, world)
        assert found["overlap"] == pytest.approx(expected, abs=1e-5)
    assert (found["exact"], found["exact_other"]) == (0.0, 1.0)


def test_the_exact_ones_are_those_of_the_methods_objective():
    world = AlignedNuisance(rng(), nuisance=4.0, alignment=1.0)
    found = read(LinearViews(world, rng(), objective="joint_embedding"), world)
    assert (found["exact"], found["exact_other"]) == (1.0, 0.0)


def test_what_has_no_signals_or_another_width_is_skipped():
    world, digits = AlignedNuisance(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels is no linear encoder of views"):
        read(Pixels(world, rng()), world)
    with pytest.raises(Skip, match="signals of Digits are not known"):
        read(LinearViews(digits, rng()), digits)
    with pytest.raises(Skip, match="of 4 features"):
        read(LinearViews(world, rng(), rank=3), world)
