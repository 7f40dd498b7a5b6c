"""Conditionals of a joint law go round a rectangle to nought; others do not."""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip
from mae_bench.metrics.conditional_cycle import conditional_cycle, odds_ratio
from mae_bench.oracles.filtered_tokens import token_law

SMALL = {"embed_dim": 16, "depth": 1, "mask_ratio": 0.75}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def world():
    return RandomHierarchy(rng(1), rules="random:4,random:2", noise=0.3)


@pytest.fixture
def method(world):
    return TokenMAE(world, rng(), **SMALL)


def read(method, world, n=100):
    with torch.inference_mode():
        return conditional_cycle(method, world, world.draw(n, rng(2)), rng(3))


def answering(monkeypatch, method, world, change):
    """The network says what belief propagation does, changed."""

    def logits(images, masking):
        law = token_law(world, images, masking.mask)
        asked = masking.ids_masked[..., None].expand(-1, -1, law.shape[2])
        return change(law.log().gather(1, asked), masking)

    monkeypatch.setattr(method, "logits", logits)


def test_both_conditionals_of_a_joint_have_its_odds_ratio():
    joint = torch.rand(3, 4, 4, generator=rng(), dtype=torch.float64)
    down, across = (joint / joint.sum(axis, keepdim=True) for axis in (1, 2))
    wanted = odds_ratio(joint.log())
    assert torch.allclose(odds_ratio(down.log()), wanted)
    assert torch.allclose(odds_ratio(across.log()), wanted)
    a = joint.log()[0]
    assert wanted[0, 0, 0] == pytest.approx(
        (a[0, 0] + a[1, 1] - a[0, 1] - a[1, 0]).item()
    )


def test_belief_propagation_fits_a_joint(world, method, monkeypatch):
    answering(monkeypatch, method, world, lambda logits, _: logits)
    found = read(method, world)
    assert found["exact"] < 1e-4
    assert found["network"] == pytest.approx(found["exact"], abs=1e-9)
    assert found["odds"] > 0.2


def test_a_law_that_is_sharpened_one_way_round_does_not(world, method, monkeypatch):
    # Told at even places twice as surely: where the two places are of two kinds, the
    # log-odds ratio is twice as large one way round.
    def sharpen(logits, masking):
        even = (masking.ids_masked % 2 == 0)[..., None]
        return torch.where(even, 2 * logits, logits)

    answering(monkeypatch, method, world, sharpen)
    found = read(method, world, 400)
    assert 0.2 * found["odds"] < found["network"] < 0.8 * found["odds"]
    assert found["share"] == pytest.approx(found["network"] / found["odds"])


def test_a_law_that_is_as_sharp_both_ways_does(world, method, monkeypatch):
    answering(monkeypatch, method, world, lambda logits, _: 2 * logits)
    assert read(method, world)["network"] < 1e-3


def test_what_looks_at_nothing_fits_a_joint_too(world, method, monkeypatch):
    def logits(_, masking):
        return torch.zeros(*masking.ids_masked.shape, world.symbols)

    monkeypatch.setattr(method, "logits", logits)
    assert read(method, world)["network"] == 0
    assert math.isfinite(read(method, world)["odds"])


def test_other_methods_and_worlds_are_skipped(world):
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="MAE predicts no tokens"):
        read(MAE(world, rng(), **SMALL), world)
    with pytest.raises(Skip, match="tokens' law of GaussianTree"):
        read(TokenMAE(tree, rng(), **SMALL), tree)
    sure = RandomHierarchy(rng(1), symbols=4, rules="random:1,random:1", noise=0.1)
    with pytest.raises(Skip, match="no rectangle"):
        read(TokenMAE(sure, rng(), **SMALL | {"mask_ratio": 0.25}), sure)
