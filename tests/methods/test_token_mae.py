"""Tokens are the nearest textures; the loss is a softmax of what is masked."""

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.token_mae import VOCABULARY, TokenMAE
from mae_bench.models.vit import patchify
from mae_bench.oracles.belief_propagation import Posteriors, marginals, posteriors

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16, "mask_ratio": 0.5}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world() -> RandomHierarchy:
    return RandomHierarchy(rng(), symbols=3, rules="random:1,random:2")


@pytest.fixture
def method(world: RandomHierarchy) -> TokenMAE:
    return TokenMAE(world, rng(), **SMALL)


def test_tokens_are_the_symbols_of_the_leaves_where_it_is_quiet(world, method):
    batch = world.draw(50, rng(1))
    leaves = batch.latents["level_2"].view(50, 16, 3).argmax(2)
    assert torch.equal(method.tokens(batch.images), leaves)


def test_of_noise_tokens_are_the_nearest_of_the_codebook(ramps: Dataset):
    method = TokenMAE(ramps, rng(), **SMALL)
    images = torch.randn(20, 1, 8, 8, generator=rng(1))
    far = torch.cdist(patchify(images, 2), method.codebook)
    assert torch.equal(method.tokens(images), far.argmin(2))
    assert method.codebook.shape == (VOCABULARY, 4)
    other = TokenMAE(ramps, rng(1), **SMALL)
    assert not torch.equal(method.codebook, other.codebook)


def test_the_loss_is_the_mean_of_minus_log_likelihoods(world, method):
    batch = world.draw(6, rng(1))
    images, masking = method.prepare(batch, rng(2))
    tokens, told = method.tokens(images), method.logits(images, masking)
    total = 0.0
    for n in range(6):
        for m, patch in enumerate(masking.ids_masked[n]):
            p = told[n, m].exp() / told[n, m].exp().sum()
            total -= p[tokens[n, patch]].log().item()
    assert method.loss(batch, rng(2)).item() == pytest.approx(total / 48, rel=1e-5)


def test_masked_pixels_have_no_say_in_the_logits(world, method):
    batch = world.draw(6, rng(1))
    masking = method.masking(6, rng(2))
    hidden = masking.mask.view(-1, 1, 4, 4).repeat_interleave(2, 2)
    hidden = hidden.repeat_interleave(2, 3)
    told = method.logits(batch.images, masking)
    again = method.logits(batch.images + 5 * hidden, masking)
    assert torch.equal(told, again)
    assert not torch.allclose(method.logits(batch.images + 1 - hidden, masking), told)


def test_it_learns_to_tell_tokens(world, train):
    method = TokenMAE(world, rng(), steps=300, batch_size=32, **SMALL)
    losses = train(method)
    assert sum(losses[:10]) / 10 > 0.9 * torch.tensor(3.0).log().item()
    batch, masking = world.draw(1000, rng(5)), method.masking(1000, rng(6))
    tokens, hidden = method.tokens(batch.images), masking.mask == 1

    def least(known: Posteriors) -> float:
        """The loss of one who knows the leaves so well."""
        said = known["level_2"].expand(1000, -1, -1).gather(2, tokens[..., None])
        return -said[..., 0].log()[hidden].mean().item()

    found = method((batch.images, masking)).item()
    # The place alone tells some of a leaf, and 100 steps find no more than that.
    assert found < 0.75 * least(marginals(world))
    assert found > least(posteriors(world, batch.images, masking.mask))


def test_patches_that_are_no_textures_are_named(world):
    with pytest.raises(ValueError, match="patch_size 4 is no texture of 4 pixels"):
        TokenMAE(world, rng(), patch_size=4, **SMALL)
