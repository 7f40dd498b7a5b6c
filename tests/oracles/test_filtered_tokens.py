"""Filtered decoders against the enumeration of all strings of a tiny tree."""

from functools import cache
from itertools import product

import pytest
import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy, paint
from mae_bench.oracles.filtered_tokens import (
    confusion,
    cross_entropy,
    divergence,
    filters,
    right,
    token_law,
)

# So quiet that a leaf's token is its symbol.
NOISE = 0.1


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny(**settings):
    known = {"symbols": 2, "rules": "random:1,random:2", "noise": NOISE}
    return RandomHierarchy(rng(3), **known | settings)


def spelled(rule, symbol):
    """The strings of four that a symbol is spelled by, each with its probability."""
    return [(tuple(four.tolist()), 1 / rule.shape[1]) for four in rule[symbol]]


def joined(parts):
    """Law of a string in raster order, of the laws of its four blocks of strings."""
    law = {}
    for picks in product(*(part.items() for part in parts)):
        side = round(len(picks[0][0]) ** 0.5)
        rows = [
            picks[2 * top + left][0][side * row : side * (row + 1)]
            for top in range(2)
            for row in range(side)
            for left in range(2)
        ]
        string, p = sum(rows, ()), 1.0
        for _, each in picks:
            p *= each
        law[string] = law.get(string, 0.0) + p
    return law


def mixed(parts):
    """The law of a mixture, of pairs of a weight and a law."""
    law = {}
    for weight, part in parts:
        for string, p in part.items():
            law[string] = law.get(string, 0.0) + weight * p
    return law


def each(law, k):
    """The law of the k-th symbol of a string."""
    return mixed([(p, {(string[k],): 1.0}) for string, p in law.items()])


@cache
def strings(cut):
    """P(all 16 leaves) of the tiny tree whose level ``cut`` is severed from above."""
    top, low = tiny().rules
    below = [dict(spelled(low, s)) for s in range(2)]
    nodes = mixed([(0.5, dict(spelled(top, root))) for root in range(2)])
    if cut is None:
        grown = [(p, joined([below[s] for s in four])) for four, p in nodes.items()]
        return mixed(grown)
    quads = [
        mixed([(p, below[s]) for (s,), p in each(nodes, k).items()]) for k in range(4)
    ]
    if cut == 2:
        quads = [joined([each(quad, k) for k in range(4)]) for quad in quads]
    return joined(quads)


def listed(law):
    states = torch.tensor(list(law))
    return states, torch.tensor(list(law.values()), dtype=torch.float64)


@pytest.mark.parametrize("name", ["cut_2", "cut_1", "full"])
def test_losses_are_those_of_enumerated_strings(name):
    world = tiny()
    cut = filters(world)[name]
    truth, weight = listed(strings(None))
    other, q = listed(strings(cut))
    assert weight.sum() == pytest.approx(1)
    assert q.sum() == pytest.approx(1)
    visible = torch.rand(16, generator=rng(5)) < 0.5
    same = (truth[:, None, visible] == other[:, visible]).all(2).double() * q
    exact = torch.stack([same @ (other == s).double() for s in range(2)], 2)
    exact = exact / same.sum(1)[:, None, None]
    images = paint(world.textures[truth])
    mask = (~visible).double()[None].expand(len(truth), -1)
    found = token_law(world, images, mask, cut=cut)
    masked = ~visible
    torch.testing.assert_close(found[:, masked], exact[:, masked], atol=1e-7, rtol=0)
    # Of the mean over all strings of the unfiltered tree, the expectation.
    likely = exact.gather(2, truth[..., None])[..., 0][:, masked]
    loss = -(weight @ likely.log().mean(1))
    losses = [
        cross_entropy(found[i : i + 1], truth[i : i + 1], mask[:1])
        for i in range(len(truth))
    ]
    assert weight @ torch.tensor(losses).double() == pytest.approx(
        loss.item(), abs=1e-6
    )


def test_the_less_is_filtered_the_lower_the_loss():
    world = RandomHierarchy(rng(1), noise=0.3)
    batch = world.draw(500, rng(2))
    mask = (torch.rand(500, 16, generator=rng(3)) < 0.25).double()
    leaves = batch.latents["level_2"].view(500, 16, 4).argmax(2)
    losses = [
        cross_entropy(token_law(world, batch.images, mask, cut=cut), leaves, mask)
        for cut in filters(world).values()
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] - losses[1] > 0.5
    assert losses[1] - losses[2] > 0.1


@pytest.mark.parametrize(("symbols", "noise"), [(2, 1.0), (4, 0.6), (4, 1.5)])
def test_misreadings_are_those_of_drawn_pixels(symbols, noise):
    world = tiny(symbols=symbols, noise=noise, rules="random:1")
    n, textures = 100_000, world.textures.flatten(1)
    symbol = torch.randint(symbols, (n,), generator=rng(1))
    pixels = textures[symbol] + noise * torch.randn(n, 4, generator=rng(2))
    token = torch.cdist(pixels, textures).argmin(1)
    counts = torch.zeros(symbols, symbols).index_put_(
        (symbol, token), torch.ones(n), accumulate=True
    )
    found = counts / counts.sum(1, keepdim=True)
    assert (found - confusion(world)).abs().max() < 0.015
    assert (token == symbol).double().mean() == pytest.approx(right(world), abs=0.006)


def test_divergence_is_nought_of_the_law_itself_and_that_of_what_is_masked():
    law = torch.tensor([[[0.0, 1.0], [0.3, 0.7]]]).double()
    ones = torch.ones(1, 2)
    assert divergence(law, law.clamp_min(1e-300).log(), ones) == pytest.approx(0)
    only = torch.tensor([[0.0, 1.0]])
    assert divergence(law, torch.tensor([0.5, 0.5]).log().expand(1, 2, 2), only) == (
        pytest.approx(0.0823, abs=1e-4)
    )
