"""Losses are those of predictors by loops over states; triples find the chain."""

from itertools import product

import pytest
import torch

from mae_bench.datasets.hidden_chain import HiddenChain
from mae_bench.methods.chain_predictor import ChainPredictor, symbol_law, task


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tokens(world, n, seed=1):
    return world.sample(n, rng(seed)).images.flatten(2).transpose(1, 2).double()


@pytest.mark.parametrize("number", [2, 3])
def test_the_law_of_symbols_is_the_sum_over_states(number):
    world = HiddenChain(rng())
    T, E = world.transition, world.emission
    slow = torch.zeros([3] * number, dtype=torch.float64)
    for states in product(range(3), repeat=number):
        for symbols in product(range(3), repeat=number):
            p = 1 / 3
            for t in range(number):
                p *= E[states[t], symbols[t]] * (
                    T[states[t - 1], states[t]] if t else 1
                )
            slow[symbols] += p
    torch.testing.assert_close(symbol_law(T, E, number), slow)


@pytest.mark.parametrize("number", [2, 3])
def test_cross_entropy_is_of_the_other_symbols_given_the_first(number):
    world = HiddenChain(rng())
    T, E = world.transition, world.emission
    x = tokens(world, 50)[:, :number]
    law, total = symbol_law(T, E, number), 0.0
    for row in x.argmax(2).tolist():
        total -= (law[tuple(row)] / law[row[0]].sum()).log().item()
    assert task(x, "symbols")(T, E).item() == pytest.approx(total / 50)


def test_squared_error_is_of_the_mean_given_the_first_token():
    world = HiddenChain(rng(), emissions="gaussian")
    T, means = world.transition, world.emission
    x, total = tokens(world, 30)[:, :2], 0.0
    for first, second in x:
        weights = torch.exp(-0.5 * (first - means).square().sum(1))
        told = sum(w * T[k] @ means for k, w in enumerate(weights / weights.sum()))
        total += (second - told).square().sum().item()
    assert task(x, "gaussian")(T, means).item() == pytest.approx(total / 30)


def test_ends_are_sorted_and_their_losses_are_theirs():
    world = HiddenChain(rng())
    method = ChainPredictor(
        world, rng(1), emissions="symbols", tokens=3, samples=500, restarts=3
    )
    assert torch.equal(method.losses, method.losses.sort().values)
    loss = task(tokens(world, 500)[:, :3], "symbols")
    for end, T, E in zip(
        method.losses, method.transitions, method.emissions_found, strict=True
    ):
        assert loss(T, E).item() == pytest.approx(end.item())


def test_features_are_what_the_first_token_tells_of_its_state():
    for emissions in ("symbols", "gaussian"):
        world = HiddenChain(rng(), emissions=emissions)
        method = ChainPredictor(world, rng(1), emissions=emissions, samples=100)
        found = method.features(world.sample(5, rng(2)))["mean"]
        torch.testing.assert_close(found.sum(1), torch.ones(5))
        with pytest.raises(ValueError, match="leave ids_keep out"):
            method.features(world.sample(5, rng(2)), torch.zeros(5, 1).long())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"emissions": "words"}, "emissions is 'words'"),
        ({"tokens": 3}, "tokens is 3 of gaussian"),
        ({"tokens": 4, "emissions": "symbols"}, "tokens is 4 of symbols"),
        ({"samples": 9}, "2 descents on 9 samples"),
        ({"restarts": 0}, "0 descents"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ChainPredictor(HiddenChain(rng()), rng(), **settings)
