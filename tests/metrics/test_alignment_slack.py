"""Of the causes themselves nothing is lacking; of their squares all is."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.methods.lejepa import LeJEPA
from mae_bench.metrics import Skip
from mae_bench.metrics.alignment_slack import alignment_slack


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(world, code=None):
    method = LeJEPA(world, rng())
    if code is not None:
        method.features = lambda batch: {"code": code(batch.latents["level_1"])}
    return alignment_slack(method, world, world.sample(2, rng()), rng(1))


def test_turned_causes_reach_the_limit():
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    found = read(OUMixing(rng(), alpha=1.0), lambda u: u @ turn + 5)
    assert found["loss"] == pytest.approx(1, abs=0.03)
    assert found["loss_square"] < 0.6
    assert found["distance"] == pytest.approx(0, abs=1e-5)
    assert found["excess_unturned"] > 10
    assert found["r2_exact"] == pytest.approx(0.963, abs=1e-3)


def test_squares_are_at_the_limit_of_squares_and_far_from_the_causes():
    found = read(OUMixing(rng()), lambda u: (u**2 - 1) / 2**0.5)
    assert found["loss_square"] == pytest.approx(1, abs=0.05)
    assert found["loss"] == pytest.approx(1.9, abs=0.1)
    assert found["distance"] == pytest.approx(4, abs=0.2)
    assert found["excess"] == pytest.approx(4 / 6, abs=0.15)


def test_other_worlds_and_widths_are_skipped():
    with pytest.raises(Skip, match="drift of Digits is not known"):
        read(Digits(rng()))
    with pytest.raises(Skip, match="has not 2 features"):
        read(OUMixing(rng()), lambda u: u[:, :1])
