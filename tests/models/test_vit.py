"""The encoder against loops, torch's own attention, and a plain twin."""

import math

import pytest
import torch
from torch import nn

from mae_bench.models.vit import (
    Attention,
    Block,
    ViT,
    draw_weights,
    patchify,
    sincos_positions,
    unpatchify,
)

SMALL = {
    "image_size": 8,
    "channels": 2,
    "patch_size": 2,
    "embed_dim": 16,
    "depth": 2,
    "num_heads": 4,
}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_patchify_puts_rows_then_columns_then_channels():
    images, p = torch.randn(2, 3, 6, 6, generator=stream()), 2
    patches = patchify(images, p)
    assert patches.shape == (2, 9, 12)
    for row in range(6):
        for column in range(6):
            for channel in range(3):
                place = row // p * 3 + column // p
                value = (row % p * p + column % p) * 3 + channel
                expected = images[:, channel, row, column]
                assert torch.equal(patches[:, place, value], expected)


@pytest.mark.parametrize("patch_size", [1, 2, 3, 6])
@pytest.mark.parametrize("channels", [1, 3])
def test_unpatchify_undoes_patchify(patch_size, channels):
    images = torch.arange(2 * channels * 36).view(2, channels, 6, 6)
    assert torch.equal(unpatchify(patchify(images, patch_size), patch_size), images)


def test_positions_are_the_papers_sines_and_cosines():
    embed_dim, grid = 16, 3
    positions = sincos_positions(embed_dim, grid)
    for row in range(grid):
        for column in range(grid):
            expected = []
            for place in (column, row):
                angles = [place / 10000 ** (i / 4) for i in range(4)]
                expected += [math.sin(a) for a in angles]
                expected += [math.cos(a) for a in angles]
            found = positions[row * grid + column]
            assert torch.allclose(found, torch.tensor(expected), atol=1e-7)


@pytest.mark.parametrize("start", [0, 3])
def test_attention_is_torchs_own(start):
    attention = Attention(16, 4)
    draw_weights(attention, stream())
    theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    theirs.in_proj_weight.data = attention.qkv.weight.data
    theirs.in_proj_bias.data = attention.qkv.bias.data
    theirs.out_proj.load_state_dict(attention.proj.state_dict())
    x = torch.randn(2, 5, 16, generator=stream(1))
    expected, _ = theirs(x[:, start:], x, x)
    assert torch.allclose(attention(x, start), expected, atol=1e-6)


def test_a_block_from_start_on_is_the_end_of_the_whole_block():
    block = Block(16, 4)
    draw_weights(block, stream())
    x = torch.randn(2, 5, 16, generator=stream(1))
    assert torch.allclose(block(x, 2), block(x)[:, 2:], atol=1e-6)


def test_the_encoder_is_maes_that_embeds_everything_and_then_drops_the_masked():
    vit = ViT(stream(), **SMALL)
    images = torch.randn(3, 2, 8, 8, generator=stream(1))
    ids_keep = torch.rand(3, 16, generator=stream(2)).argsort(1)[:, :5]
    every = vit.patch_embed(patchify(images, 2)) + sincos_positions(16, 4)
    rows = []
    for image, ids in zip(every, ids_keep, strict=True):
        rows.append(torch.stack([vit.cls_token, *(image[i] for i in ids)]))
    x = torch.stack(rows)
    for block in vit.blocks:
        x = block(x)
    assert torch.allclose(vit(images, ids_keep), vit.norm(x), atol=1e-5)


def test_without_ids_every_patch_is_seen_in_order():
    vit = ViT(stream(), **SMALL)
    images = torch.randn(3, 2, 8, 8, generator=stream(1))
    in_order = torch.arange(16).expand(3, -1)
    assert torch.allclose(vit(images), vit(images, in_order), atol=1e-6)


def test_masked_pixels_have_no_say():
    vit = ViT(stream(), **SMALL)
    images = torch.randn(1, 2, 8, 8, generator=stream(1))
    ids_keep = torch.tensor([[0, 1, 2, 3]])  # the two uppermost rows of pixels
    changed = images.clone()
    changed[:, :, 2:] = 7.0
    assert torch.equal(vit(images, ids_keep), vit(changed, ids_keep))
    assert not torch.allclose(vit(images), vit(changed))


@pytest.mark.parametrize("patch_size", [1, 2, 4, 8])
def test_any_divisor_is_a_patch_size(patch_size):
    vit = ViT(stream(), **{**SMALL, "patch_size": patch_size})
    tokens = vit(torch.randn(2, 2, 8, 8, generator=stream(1)))
    assert tokens.shape == (2, 1 + vit.num_patches, 16)
    assert vit.num_patches == vit.grid_size**2 == (8 // patch_size) ** 2


def test_weights_depend_on_the_generator_alone():
    torch.manual_seed(1)
    one = ViT(stream(3), **SMALL).state_dict()
    torch.manual_seed(2)
    two = ViT(stream(3), **SMALL).state_dict()
    other = ViT(stream(4), **SMALL).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["cls_token"], other["cls_token"])
    assert not torch.equal(one["patch_embed.weight"], other["patch_embed.weight"])


def test_weights_are_drawn_as_mae_draws_them():
    vit = ViT(stream(), **{**SMALL, "embed_dim": 256})
    fan_in, fan_out = 256, 3 * 256
    qkv = vit.blocks[0].attn.qkv
    bound = math.sqrt(6 / (fan_in + fan_out))
    assert 0.99 * bound < qkv.weight.abs().max() <= bound
    assert qkv.bias.abs().max() == 0
    assert torch.equal(vit.norm.weight, torch.ones(256))
    assert 0.016 < vit.cls_token.std() < 0.024


def test_the_class_token_is_spared_weight_decay():
    # Method.configure_optimizers decays what has a second axis.
    assert ViT(stream(), **SMALL).cls_token.ndim == 1


def test_the_readout_is_the_mean_the_class_token_and_the_code():
    vit = ViT(stream(), bottleneck=3, **SMALL)
    tokens = torch.randn(2, 6, 16, generator=stream(1))
    found = vit.readout(tokens)
    mean = sum(tokens[:, i] for i in range(1, 6)) / 5
    assert list(found) == ["mean", "cls", "code"]
    assert torch.allclose(found["mean"], mean, atol=1e-6)
    assert torch.equal(found["cls"], tokens[:, 0])
    expected = mean @ vit.code.weight.T + vit.code.bias
    assert torch.allclose(found["code"], expected, atol=1e-6)


def test_without_a_class_token_all_tokens_are_patches():
    vit = ViT(stream(), cls_token=False, **SMALL)
    tokens = vit(torch.randn(2, 2, 8, 8, generator=stream(1)))
    found = vit.readout(tokens)
    assert tokens.shape == (2, 16, 16)
    assert list(found) == ["mean"]
    assert torch.allclose(found["mean"], tokens.mean(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch_size": 3}, r"patch_size 3 .* image_size 8; choose one of \[1, 2, 4"),
        ({"patch_size": 0}, "patch_size 0 does not divide"),
        ({"num_heads": 3}, r"num_heads 3 .* width 16; choose one of \[1, 2, 4"),
        ({"embed_dim": 18, "num_heads": 2}, "embed_dim 18 is no multiple of 4"),
        ({"bottleneck": -1}, "depth 2, bottleneck -1; choose 0 or more"),
        ({"depth": -1}, "depth -1, bottleneck 0; choose 0 or more"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ViT(stream(), **{**SMALL, **change})


@pytest.mark.parametrize(("l", "d"), [(5, 4), (4, 6)])
def test_patches_that_make_no_image_are_refused(l, d):  # noqa: E741
    with pytest.raises(ValueError, match=f"{l} patches of {d} values make no square"):
        unpatchify(torch.zeros(1, l, d), 2)


@pytest.mark.parametrize(("start", "stop"), [(0, None), (3, None), (2, 4)])
def test_the_weights_of_attention_are_those_that_it_reads_with(
    start: int, stop: int | None
) -> None:
    attention = Attention(8, 2)
    x = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    weights = attention.weights(x, start, stop)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 2, 6 - start))
    values = (x @ attention.qkv.weight[16:].T + attention.qkv.bias[16:])[:, :stop]
    values = values.view(2, -1, 2, 4).transpose(1, 2)
    read = (weights @ values).transpose(1, 2).flatten(2)
    expected = attention.proj(read)
    assert torch.allclose(attention(x, start, stop), expected, atol=1e-6)


def test_without_pos_embed_the_tokens_follow_their_patches() -> None:
    images = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    turned = images.roll((2, 2), (2, 3))  # patches change places with their opposites
    sizes = {"image_size": 4, "channels": 1, "patch_size": 2, "embed_dim": 8}
    for known in (True, False):
        vit = ViT(
            torch.Generator().manual_seed(1),
            depth=1,
            num_heads=2,
            pos_embed=known,
            **sizes,
        )
        one, two = vit(images)[:, 1:], vit(turned)[:, 1:].flip(1)
        assert torch.allclose(one, two, atol=1e-5) != known
