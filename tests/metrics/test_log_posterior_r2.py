"""Features that are the posterior, or its logarithm, are told apart."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip
from mae_bench.metrics.log_posterior_r2 import log_posterior_r2
from mae_bench.oracles.belief_propagation import posteriors

SMALL = {"embed_dim": 16, "depth": 1, "mask_ratio": 0.75}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world():
    return RandomHierarchy(rng(1), symbols=3, rules="random:2,random:1", noise=1.0)


def read(method, world, n=200):
    with torch.inference_mode():
        return log_posterior_r2(method, world, world.split("test", n, rng(2)), rng(3))


@pytest.mark.parametrize("of", ["log", "posterior"])
def test_of_features_that_are_one_of_them_it_is_one(of, world, monkeypatch):
    method = TokenMAE(world, rng(), **SMALL)

    def features(batch, ids_keep):
        mask = torch.ones(len(batch), 16).scatter(1, ids_keep, 0.0)
        root = posteriors(world, batch.images, mask)["level_0"][:, 0]
        turn = torch.randn(3, 8, generator=rng(4)).double()
        return {"mean": (root.log() if of == "log" else root) @ turn}

    monkeypatch.setattr(method, "features", features)
    found = read(method, world)
    other = {"log": "posterior", "posterior": "log"}[of]
    assert found[f"{of}/mean"] == pytest.approx(1, abs=1e-3)
    assert found[f"{other}/mean"] < 0.97
    gain = found["log/mean"] - found["posterior/mean"]
    assert found["gain/mean"] == pytest.approx(gain)
    assert (gain > 0) == (of == "log")


def test_it_is_drawn_from_its_generator_alone(world):
    method = TokenMAE(world, rng(), **SMALL)
    assert read(method, world, 100) == read(method, world, 100)


def test_other_methods_and_worlds_are_skipped(world):
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="MAE has no softmax over tokens"):
        read(MAE(world, rng(), **SMALL), world)
    with pytest.raises(Skip, match="posterior of GaussianTree is not known"):
        read(TokenMAE(tree, rng(), **SMALL), tree, 20)
