"""Ends, an outside implementation, and what argmax of a regression may pretend."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.metrics import Skip, Split
from mae_bench.metrics.level_accuracy import level_accuracy, symbols_of
from mae_bench.metrics.linear_r2 import ALPHAS

LEVELS = {"level_0": 1, "level_1": 4}


def one_hot(n, nodes, symbols, generator):
    drawn = torch.randint(symbols, (n, nodes), generator=generator)
    return torch.eye(symbols)[drawn].flatten(1)


def splits_of(features, generator, n=300, symbols=3):
    found = []
    for _ in range(3):
        z = {k: one_hot(n, nodes, symbols, generator) for k, nodes in LEVELS.items()}
        found.append(Split(features(z), z))
    return found


def noise(generator, width=6):
    return lambda z: torch.randn(len(z["level_0"]), width, generator=generator)


def test_features_that_hold_the_symbols_are_read_without_error(generator):
    turn = torch.randn(15, 15, generator=generator)
    splits = splits_of(lambda z: torch.cat(list(z.values()), 1) @ turn, generator)
    assert level_accuracy(*splits) == {"level_0": 1.0, "level_1": 1.0}


def test_features_without_content_are_at_chance(generator):
    found = level_accuracy(*splits_of(noise(generator), generator, n=2000))
    for value in found.values():
        assert value == pytest.approx(1 / 3, abs=0.04)


def test_the_commonest_symbol_is_guessed_when_nothing_is_known(generator):
    rare = (torch.rand(900, generator=generator) < 0.1).long()
    parts = torch.eye(2)[rare].split(300)
    splits = [Split(torch.zeros(300, 2), {"level_0": z}) for z in parts]
    assert level_accuracy(*splits)["level_0"] == pytest.approx(
        parts[2][:, 0].mean().item()
    )


def test_it_agrees_with_scikit_learn(generator):
    mix = torch.randn(12, 8, generator=generator)
    grain = noise(generator, 8)
    splits = splits_of(lambda z: z["level_1"] @ mix + 2 * grain(z), generator)
    x, x_val, x_test = (s.features.double().numpy() for s in splits)
    mean, std = x.mean(0), x.std(0)
    x, x_val, x_test = ((a - mean) / std for a in (x, x_val, x_test))
    for level, nodes in LEVELS.items():
        z = [s.target[level].numpy().reshape(300, nodes, 3) for s in splits]
        scores = []
        for alpha in ALPHAS:
            fit = Ridge(alpha=alpha * len(x)).fit(x, z[0].reshape(300, -1))
            right = [
                (fit.predict(a).reshape(300, nodes, 3).argmax(2) == b.argmax(2)).mean()
                for a, b in ((x_val, z[1]), (x_test, z[2]))
            ]
            scores.append(right)
        best = int(np.argmax([val for val, _ in scores]))
        assert level_accuracy(*splits)[level] == pytest.approx(scores[best][1])


def test_names_of_symbols_and_scales_of_features_do_not_matter(generator):
    mix = torch.randn(12, 8, generator=generator)
    grain = noise(generator, 8)
    splits = splits_of(lambda z: z["level_1"] @ mix + grain(z), generator)
    renamed = [
        Split(
            s.features * torch.arange(1, 9) - 5,
            {k: z.view(len(z), -1, 3).flip(2).flatten(1) for k, z in s.target.items()},
        )
        for s in splits
    ]
    assert level_accuracy(*renamed) == pytest.approx(level_accuracy(*splits))


def test_symbols_are_counted_in_every_level_of_a_hierarchy():
    stream = torch.Generator().manual_seed(0)
    world = RandomHierarchy(stream, symbols=3, rules="random:2,shift:3")
    for z in world.sample(20, stream).latents.values():
        assert symbols_of(z) == 3


@pytest.mark.parametrize(
    "z",
    [
        torch.randn(5, 4),
        torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]]),
        torch.tensor([[1.0, 0.0], [0.0, 0.0]]),
        torch.ones(3, 2),
        torch.zeros(3, 2),
    ],
)
def test_numbers_are_no_symbols(z):
    assert symbols_of(z) is None


def test_levels_of_numbers_are_left_out_and_alone_are_skipped(generator):
    splits = splits_of(noise(generator), generator)
    mixed = [Split(s.features, s.target | {"level_2": s.features}) for s in splits]
    assert set(level_accuracy(*mixed)) == set(LEVELS)
    numbers = [Split(s.features, {"level_0": s.features}) for s in splits]
    with pytest.raises(Skip, match="no level of level_0 is of one-hot symbols"):
        level_accuracy(*numbers)


def test_the_penalty_is_chosen_on_val_where_test_would_have_another():
    # The strongest penalty says 1 of every image, which is right of all in ``one``.
    symbols = (torch.arange(100) % 10 < 7).long()
    split = Split(symbols[:, None].float(), {"": torch.eye(2)[symbols]})
    one = Split(split.features, {"": torch.eye(2)[torch.ones_like(symbols)]})
    assert level_accuracy(split, one, split)[""] == pytest.approx(0.7)
    assert level_accuracy(split, split, one)[""] == pytest.approx(0.7)
