"""The chain itself has no error, whatever its states are called; the worst is told."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.hidden_chain import HiddenChain
from mae_bench.methods.chain_predictor import ChainPredictor
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.parameter_error import distances, parameter_error


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("emissions", ["symbols", "gaussian"])
def test_names_of_states_do_not_matter(emissions):
    world = HiddenChain(rng(), emissions=emissions)
    turned = [2, 0, 1]
    found = (world.transition[turned][:, turned], world.emission[turned])
    true = (world.transition, world.emission)
    assert distances(found, true, symbols=emissions == "symbols") == (0, 0)


def test_distances_are_total_variation_or_relative_length():
    eye = torch.eye(3).double()
    moved = eye.clone()
    moved[0] = torch.tensor([0.7, 0.3, 0.0])
    assert distances((eye, moved), (eye, eye), symbols=True)[1] == pytest.approx(0.1)
    assert distances((moved, eye), (eye, eye), symbols=True)[0] == pytest.approx(0.1)
    found = distances((eye, 1.1 * eye), (eye, eye), symbols=False)
    assert found == (0, pytest.approx(0.1))


def test_the_worst_of_those_as_good_as_the_best_is_told():
    world = HiddenChain(rng())
    method = ChainPredictor(world, rng(1), emissions="symbols", restarts=3)
    own = world.emission
    other = own.roll(1, 0) * 0.5 + own * 0.5
    method.transitions.copy_(world.transition.expand(3, 3, 3))
    method.emissions_found.copy_(torch.stack([own, other, own[[0, 0, 0]]]))
    method.losses.copy_(torch.tensor([1.0, 1.0 + 1e-6, 1.1]))
    found = parameter_error(method, world, world.sample(100, rng(2)), rng())
    assert found["as_good"] == 2
    true = (world.transition, own)
    assert (
        found["emission"] == distances((world.transition, other), true, symbols=True)[1]
    )
    method.losses[1] = 1.2
    found = parameter_error(method, world, world.sample(100, rng(2)), rng())
    assert found == {"transition": 0, "emission": 0, "excess": 0, "as_good": 1}


def test_other_methods_and_worlds_are_skipped():
    world, digits = HiddenChain(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels has no parameters"):
        parameter_error(Pixels(world, rng()), world, world.sample(2, rng()), rng())
    method = ChainPredictor(world, rng(), samples=20)
    with pytest.raises(Skip, match="Digits is no hidden chain"):
        parameter_error(method, digits, digits.sample(2, rng()), rng())
