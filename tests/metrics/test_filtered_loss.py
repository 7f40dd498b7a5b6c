"""Of a network that says what a decoder would, the divergence from it is nought."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip
from mae_bench.metrics.filtered_loss import filtered_loss
from mae_bench.oracles.filtered_tokens import filters, token_law

SMALL = {"embed_dim": 16, "depth": 1, "mask_ratio": 0.25}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world():
    return RandomHierarchy(rng(1), noise=0.6)


def read(method, world, n=400):
    with torch.inference_mode():
        return filtered_loss(method, world, world.split("test", n, rng(2)), rng(3))


@pytest.mark.parametrize("name", ["cut_2", "cut_1", "full"])
def test_a_network_that_is_a_decoder_has_its_loss(name, world, monkeypatch):
    method = TokenMAE(world, rng(), **SMALL)

    def logits(images, masking):
        law = token_law(world, images, masking.mask, cut=filters(world)[name])
        # A softmax does not see a constant.
        told = 7.0 + law.log()
        index = masking.ids_masked[..., None].expand(-1, -1, told.shape[2])
        return told.gather(1, index)

    monkeypatch.setattr(method, "logits", logits)
    found = read(method, world)
    assert found[f"kl_{name}"] == pytest.approx(0, abs=1e-9)
    assert found["loss"] == pytest.approx(found[f"exact_{name}"])
    others = [found[f"kl_{other}"] for other in filters(world) if other != name]
    assert min(others) > 0.05
    shares = {"full": 0.0, "cut_1": 1.0}
    if name in shares:
        assert found["share"] == pytest.approx(shares[name], abs=1e-9)


def test_the_loss_is_the_methods_own_and_its_excess_the_divergence(world):
    method = TokenMAE(world, rng(), **SMALL)
    batch = world.draw(2000, rng(2))
    with torch.inference_mode():
        found = filtered_loss(method, world, batch, rng(3))
        own = method.loss(batch, rng(3)).item()
    assert found["loss"] == pytest.approx(own, rel=1e-5)
    excess = found["loss"] - found["exact_full"]
    assert found["kl_full"] == pytest.approx(excess, abs=0.05)


def test_other_methods_and_worlds_are_skipped(world):
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="MAE predicts no tokens"):
        read(MAE(world, rng(), **SMALL), world)
    with pytest.raises(Skip, match="GaussianTree has no levels"):
        read(TokenMAE(tree, rng(), **SMALL), tree, 20)
