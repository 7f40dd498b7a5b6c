"""Attention at its ends: even, to itself, far; against loops; and even passes for low.

The known lies: attention that does not look at anything is of the lowest rank, and as
alike in all images as attention that goes by position.
"""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.attention import (
    MASKS,
    agreement,
    attention,
    describe,
    distances,
    diversity,
    rank_shares,
)

EVERY = torch.arange(16)[None]
DISTANCE = distances(EVERY, EVERY, 4, 2)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world():
    return GaussianTree(rng())


def found(method, world, n=64):
    with torch.inference_mode():
        return attention(method, world, world.sample(n, rng(3)), rng(4))


def soft(*shape, generator):
    return torch.randn(*shape, generator=generator).double().softmax(-1)


def even_heads(network):
    """Queries of 0: every token reads from all alike."""
    for block in network.blocks:
        width = block.attn.proj.weight.shape[0]
        block.attn.qkv.weight.data[:width] = 0
    return network


def test_distances_are_between_the_centres_of_patches_in_pixels():
    assert DISTANCE[0, 0, 1].item() == 2
    assert DISTANCE[0, 0, 5].item() == pytest.approx(2 * math.sqrt(2))
    assert DISTANCE[0, 3, 12].item() == pytest.approx(6 * math.sqrt(2))


def test_even_attention_reaches_1_at_the_lowest_rank_without_diversity():
    values = describe(torch.full((2, 3, 16, 16), 0.5), DISTANCE)
    assert values["reach"] == pytest.approx(1)
    assert values["distance"] == pytest.approx(DISTANCE.mean().item())
    assert values["diversity"] == pytest.approx(0, abs=1e-12)
    assert values["erank"] == pytest.approx(1 / 16)
    assert values["rank99"] == 1 / 16


def test_a_row_that_reads_no_patch_counts_as_even():
    here = distances(torch.arange(4)[None], torch.arange(4)[None], 2, 1)
    blind = torch.full((1, 2, 4, 4), 0.25)
    blind[0, 1, 2] = 0.0  # all of it went to the class token
    even = torch.full((1, 2, 4, 4), 0.25)
    assert describe(blind, here) == describe(even, here)


def test_attention_to_itself_reaches_nowhere_at_full_rank():
    values = describe(torch.eye(16).expand(2, 3, 16, 16), DISTANCE)
    assert values["distance"] == values["reach"] == 0
    assert values["erank"] == pytest.approx(1)
    assert values["rank99"] == 1


def test_distance_and_diversity_agree_with_loops(generator):
    A = soft(2, 3, 16, 16, generator=generator)
    distance, kl = 0.0, 0.0
    for n in range(2):
        for q in range(16):
            for h in range(3):
                distance += float(A[n, h, q] @ DISTANCE[0, q])
                for g in range(3):
                    ratio = (A[n, h, q] / A[n, g, q]).log()
                    kl += float(A[n, h, q] @ ratio)
    values = describe(A, DISTANCE)
    assert values["distance"] == pytest.approx(distance / 96)
    assert values["diversity"] == pytest.approx(kl / (2 * 16 * 6))
    # Scaled rows, as without the class token, are made to sum to 1.
    assert describe(A * 0.3, DISTANCE) == pytest.approx(values)


def test_one_head_has_no_diversity(generator):
    assert diversity(soft(2, 1, 4, 4, generator=generator)).isnan()


def test_the_rank_of_a_kernel_with_two_factors_is_two(generator):
    A = soft(5, 10, 2, generator=generator) @ soft(5, 2, 8, generator=generator)
    values = rank_shares(A)
    assert values["rank99"] <= 2 / 8
    assert 1 / 8 < values["erank"] < 2 / 8


def test_agreement_is_the_mean_cosine_of_pairs_under_one_mask(generator):
    A = soft(2, 3, 1, 2, 5, generator=generator)
    cosines = [
        torch.cosine_similarity(A[m, i, 0, q], A[m, j, 0, q], dim=0).item()
        for m in range(2)
        for q in range(2)
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    assert agreement(A).item() == pytest.approx(sum(cosines) / len(cosines))
    assert agreement(A[:, :1].expand(-1, 4, -1, -1, -1)).item() == pytest.approx(1)


def test_an_encoder_with_even_heads_is_even_and_its_layers_are_named(world):
    method = RandomInit(world, rng(), depth=2)
    even_heads(method.encoder)
    values = found(method, world)
    for prefix in ("encoder", "encoder/0", "encoder/1"):
        assert values[f"{prefix}/reach"] == pytest.approx(1)
        assert values[f"{prefix}/rank99"] == 1 / 16
    assert not any(name.startswith("decoder") for name in values)


def test_means_are_over_layers(world):
    values = found(RandomInit(world, rng(), depth=3), world)
    for name in ("distance", "erank", "diversity"):
        layers = [values[f"encoder/{i}/{name}"] for i in range(3)]
        assert values[f"encoder/{name}"] == pytest.approx(sum(layers) / 3)


@pytest.mark.parametrize("mask_to_mask", [True, False])
def test_a_decoder_with_even_heads_reaches_1_and_agrees_with_itself(
    world, mask_to_mask
):
    method = MAE(world, rng(), decoder_depth=3, mask_to_mask=mask_to_mask)
    even_heads(method.decoder)
    values = found(method, world)
    for prefix in ("decoder", "decoder/0", "decoder/2"):
        assert values[f"{prefix}/reach"] == pytest.approx(1)
        assert values[f"{prefix}/agreement"] == pytest.approx(1)
    assert values["encoder/diversity"] > 0


def test_a_decoder_that_asks_by_position_looks_at_what_is_near(world):
    # Queries and keys are the positions alone: the decoder's own place is nearest.
    method = MAE(world, rng(), decoder_num_heads=1, decoder_embed_dim=32)
    decoder = method.decoder
    torch.nn.init.zeros_(decoder.embed.weight)
    torch.nn.init.zeros_(decoder.mask_token)
    width = decoder.blocks[0].attn.qkv.weight.shape[1]
    decoder.blocks[0].attn.qkv.weight.data[: 2 * width] = 5 * torch.eye(width).repeat(
        2, 1
    )
    values = found(method, world)
    assert values["decoder/reach"] < 0.5
    assert values["decoder/agreement"] == pytest.approx(1)
    decoder.blocks[0].attn.qkv.weight.data[:width] *= -1
    assert found(method, world)["decoder/reach"] > 1.2


def test_what_the_decoder_reads_changes_with_the_image(world):
    assert found(MAE(world, rng()), world)["decoder/agreement"] < 1 - 1e-4


def test_a_code_has_no_place_and_an_autoencoder_asks_for_what_it_sees(world):
    code = found(MAE(world, rng(), bottleneck=4), world)
    assert code["decoder/rank99"] > 0
    assert found(Autoencoder(world, rng()), world)["decoder/reach"] > 0
    # With neither masked tokens nor a place of the code, there is nothing to read.
    alone = MAE(world, rng(), bottleneck=4, mask_to_mask=False)
    assert not any(name.startswith("decoder") for name in found(alone, world))


def test_a_linear_decoder_has_no_attention_and_a_linear_model_is_skipped(world):
    values = found(MAE(world, rng(), decoder_depth=0), world)
    assert not any(name.startswith("decoder") for name in values)
    with pytest.raises(Skip, match="LinearMAE has no attention"):
        found(LinearMAE(world, rng()), world)
    with pytest.raises(Skip, match="without blocks"):
        found(RandomInit(world, rng(), depth=0), world)


def test_fewer_images_than_masks_say_nothing_of_the_decoder(world):
    few = found(MAE(world, rng(1)), world, MASKS - 1)
    assert not any(name.startswith("decoder") for name in few)
    assert "encoder/reach" in few
    assert "decoder/reach" in found(MAE(world, rng(1)), world, MASKS)
