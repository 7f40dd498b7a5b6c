"""The recording is what the blocks did, and leaves no trace."""

import pytest
import torch

from mae_bench.models.decoder import Decoder
from mae_bench.models.masking import random_masking
from mae_bench.models.recording import record
from mae_bench.models.vit import ViT


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def vit(depth=3):
    sizes = {"image_size": 8, "channels": 1, "patch_size": 2}
    return ViT(rng(), embed_dim=16, depth=depth, num_heads=2, **sizes)


def test_tokens_chain_from_the_embedding_to_the_output():
    encoder, images = vit(), torch.randn(5, 1, 8, 8, generator=rng(1))
    with torch.no_grad(), record(encoder.blocks) as found:
        out = encoder(images)
    assert len(found.tokens) == 4
    for block, before, after in zip(
        encoder.blocks, found.tokens, found.tokens[1:], strict=False
    ):
        torch.testing.assert_close(block(before), after)
    torch.testing.assert_close(encoder.norm(found.tokens[-1]), out)


def test_weights_are_those_that_the_attention_used():
    encoder, images = vit(), torch.randn(5, 1, 8, 8, generator=rng(1))
    with torch.no_grad(), record(encoder.blocks) as found:
        encoder(images)
    for block, z, A in zip(encoder.blocks, found.tokens, found.weights, strict=False):
        assert A.shape == (5, 2, 17, 17)
        x = block.norm1(z)
        value = block.attn.qkv(x)[..., 32:].view(5, 17, 2, 8).transpose(1, 2)
        read = block.attn.proj((A @ value).transpose(1, 2).flatten(2))
        torch.testing.assert_close(read, block.attn(x))


def test_of_a_decoder_the_last_block_is_asked_for_the_masked_patches_alone():
    decoder = Decoder(
        rng(),
        grid=4,
        in_dim=16,
        embed_dim=16,
        depth=2,
        num_heads=2,
        patch_dim=4,
        mask_to_mask=False,
    )
    masking = random_masking(3, 4, 0.75, rng(1))
    tokens = torch.randn(3, 5, 16, generator=rng(2))
    with torch.no_grad(), record(decoder.blocks) as found:
        decoder(tokens, masking.ids_keep, masking.ids_masked)
    assert [t.shape[1] for t in found.tokens] == [17, 17, 12]
    assert [A.shape[2:] for A in found.weights] == [(17, 5), (12, 5)]


def test_afterwards_the_hooks_are_gone_even_if_the_pass_failed():
    encoder, images = vit(), torch.randn(2, 1, 8, 8, generator=rng(1))
    plain = encoder(images)
    with record(encoder.blocks) as found:
        assert torch.equal(encoder(images), plain)
    encoder(images)
    assert len(found.tokens) == 4
    with pytest.raises(RuntimeError), record(encoder.blocks) as broken:
        encoder(images.double())
    encoder(images)
    assert not broken.tokens


def test_a_stack_without_blocks_records_nothing():
    encoder = vit(depth=0)
    with record(encoder.blocks) as found:
        encoder(torch.randn(2, 1, 8, 8, generator=rng(1)))
    assert not found.tokens
    assert not found.weights
