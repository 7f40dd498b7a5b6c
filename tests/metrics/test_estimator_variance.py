"""An estimate that scatters as the bound says has error 1; one that is right, 0."""

import math

import pytest
import torch

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.datasets.digits import Digits
from mae_bench.methods.masked_likelihood import MaskedLikelihood
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.estimator_variance import estimator_variance
from mae_bench.oracles.masked_likelihood import fisher_information, relative_variance


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world):
    return estimator_variance(method, world, world.sample(2, rng()), rng())


def test_it_is_the_squared_error_over_the_bound():
    world = ARChain(rng())
    method = MaskedLikelihood(world, rng(1), masked=2, fits=2)
    off = 1 / math.sqrt(200 * fisher_information(9, 0.7))
    method.estimates.copy_(torch.tensor([0.7 + off, 0.7 - off]))
    found = read(method, world)
    exact = relative_variance(9, 0.7, 2, "one")
    assert found["error"] == pytest.approx(1)
    assert found["gap_efficient"] == pytest.approx(0, abs=1e-6)
    assert found["error_exact"] == exact
    assert found["gap"] == pytest.approx(1 / exact - 1)
    method.estimates.fill_(0.7)
    assert read(method, world)["error"] == pytest.approx(0)


def test_other_methods_and_worlds_are_skipped():
    world, digits = ARChain(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels estimates no correlation"):
        read(Pixels(world, rng()), world)
    with pytest.raises(Skip, match="Digits has no correlation"):
        read(MaskedLikelihood(digits, rng()), digits)
