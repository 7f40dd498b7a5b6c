"""It is 0 of tokens that are classes, and that of chance of tokens that are noise."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.cluster_mim import ClusterMIM
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.token_mixing import mixing, token_mixing


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_is_the_share_of_pairs_of_one_token_that_differ():
    tokens = torch.randint(3, (12, 4), generator=rng())
    labels = torch.randint(3, (12,), generator=rng(1))
    flat = [
        (t, y)
        for row, y in zip(tokens.tolist(), labels.tolist(), strict=True)
        for t in row
    ]
    slow = sum(
        sum(y != other for t2, other in flat if t2 == t)
        / sum(t2 == t for t2, _ in flat)
        for t, y in flat
    ) / len(flat)
    assert mixing(tokens, labels) == pytest.approx(slow)


def test_tokens_of_noise_mix_as_chance_does():
    tokens = torch.randint(8, (4000, 4), generator=rng())
    labels = torch.randint(5, (4000,), generator=rng(1))
    assert mixing(tokens, labels) == pytest.approx(0.8, abs=0.01)


def test_it_reads_a_methods_tokens():
    world = Digits(rng())
    batch = world.sample(300, rng(2))
    found = {
        tokens: token_mixing(
            ClusterMIM(world, rng(1), tokens=tokens), world, batch, rng()
        )
        for tokens in ("classes", "mixed")
    }
    assert found["classes"] == {"mixing": 0.0}
    assert 0.8 < found["mixed"]["mixing"] < 0.9
    with pytest.raises(Skip, match="Pixels has no tokens"):
        token_mixing(Pixels(world, rng()), world, batch, rng())
    bare = GaussianTree(rng()).sample(5, rng())
    bare = type(bare)(bare.images, {}, None)
    with pytest.raises(Skip, match="no classes"):
        token_mixing(ClusterMIM(GaussianTree(rng()), rng()), world, bare, rng())
