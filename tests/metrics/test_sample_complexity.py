"""What is needed falls to what the clustering needs; other worlds are refused."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.oracle_latents import OracleLatents
from mae_bench.metrics import Skip
from mae_bench.metrics import sample_complexity as module
from mae_bench.metrics.sample_complexity import sample_complexity
from mae_bench.oracles.latent_clustering import recover


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def read(world):
    return sample_complexity(
        OracleLatents(world, rng()), world, world.sample(2, rng()), rng(1)
    )


def hierarchy(rules):
    return RandomHierarchy(rng(), symbols=6, leaf_size=3, rules=rules)


@pytest.fixture(scope="module")
def found():
    return read(hierarchy("random:4,random:4,random:4"))


def test_each_context_has_its_levels(found):
    levels = {f"{c}/level_{k}" for c in ("latents", "tokens") for k in (1, 2)} | {
        "far_tokens/level_2"
    }
    plain = {k for k in found if not k.startswith(("own", "elsewhere", "saving"))}
    assert plain == levels
    assert {k.partition("/")[2] for k in found if "own/" in k} == levels
    saved = found["tokens/level_1"] - found["latents/level_1"]
    assert found["saving/level_1"] == saved


def test_twice_what_is_needed_recovers_and_of_other_strings_nothing_is(found):
    own = [v for k, v in found.items() if k.startswith("own/")]
    elsewhere = [v for k, v in found.items() if k.startswith("elsewhere/")]
    assert sum(own) / len(own) > 0.8
    assert max(map(abs, elsewhere)) < 0.3


def test_half_of_what_is_needed_is_too_little(found):
    rules = hierarchy("random:4,random:4,random:4").rules
    few = round(2 ** (found["tokens/level_1"] - 1.5))
    shares = [recover(rules, few, "tokens", rng(s))["level_1"] for s in range(5)]
    assert sum(shares) / 5 < 0.75


def test_what_is_beyond_the_most_has_no_number(monkeypatch):
    monkeypatch.setattr(module, "MOST_LEAVES", 2**9)
    assert read(hierarchy("random:4,random:4")) == {}


def test_it_applies_to_hierarchies_with_siblings_below_the_root():
    with pytest.raises(Skip, match="no tuples"):
        read(GaussianTree(rng()))
    with pytest.raises(Skip, match="no siblings"):
        read(hierarchy("random:4"))
