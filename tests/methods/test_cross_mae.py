"""CrossMAE: patches are decoded one by one, so a few of them stand for all."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.cross_mae import CrossMAE
from mae_bench.methods.mae import MAE
from mae_bench.models.vit import sincos_positions

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 4, "decoder_embed_dim": 16}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def make(ramps: Dataset) -> Callable[..., CrossMAE]:
    return lambda **settings: CrossMAE(ramps, stream(), **SMALL | settings)


@pytest.fixture
def plain(ramps: Dataset) -> Callable[..., MAE]:
    """MAE without attention among masked patches."""
    fixed = {**SMALL, "mask_to_mask": False}
    return lambda **settings: MAE(ramps, stream(), **fixed | settings)


@pytest.fixture
def data(ramps: Dataset) -> Batch:
    return ramps.sample(6, stream(1))


def asked_in_a_step(method: CrossMAE, example) -> Tensor:
    """The patches that a step decodes, as its decoder is told."""
    told = []
    handle = method.decoder.register_forward_pre_hook(
        lambda _, args: told.append(args[2])
    )
    method(example)
    handle.remove()
    return told[0]


@pytest.mark.parametrize("ratio", [0.75, 1.0])
def test_if_all_are_asked_for_it_is_mae_without_attention_among_masked_patches(
    ratio, make, plain, data
):
    method, mae = make(prediction_ratio=ratio), plain()
    ours, theirs = method.loss(data, stream(2)), mae.loss(data, stream(2))
    assert torch.equal(ours, theirs)
    ours.backward()
    theirs.backward()
    for one, two in zip(method.parameters(), mae.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)


def slow_decoder(method: CrossMAE, tokens: Tensor, masking, i: int, patch: int):
    """A block of cross-attention for one patch of one image, head by head."""
    net = method.decoder
    (block,) = net.blocks
    positions = sincos_positions(16, 4)
    known = net.embed(tokens[i])
    known = torch.cat([known[:1], known[1:] + positions[masking.ids_keep[i]]])
    query = net.mask_token + positions[patch]
    q_map, k_map, v_map = block.attn.qkv.weight.chunk(3)
    q_bias, k_bias, v_bias = block.attn.qkv.bias.chunk(3)
    normed = block.norm1(known)
    q = q_map @ block.norm1(query) + q_bias
    k, v = normed @ k_map.T + k_bias, normed @ v_map.T + v_bias
    heads = []
    for h in range(4):
        own = slice(4 * h, 4 * h + 4)
        weights = torch.softmax(k[:, own] @ q[own] / 2, 0)
        heads.append(weights @ v[:, own])
    x = query + block.attn.proj(torch.cat(heads))
    x = x + block.mlp(block.norm2(x))
    return net.pred(net.norm(x))


def test_its_decoder_is_cross_attention_of_masked_patches_to_visible_ones(make, data):
    method, masking = make(), make().masking(6, stream(2))
    tokens = method.forward_encoder(data.images, masking)
    found = method.forward_decoder(tokens, masking)
    for i in range(3):
        for m, patch in enumerate(masking.ids_masked[i]):
            slow = slow_decoder(method, tokens, masking, i, patch)
            assert torch.allclose(found[i, m], slow, atol=1e-5)


@pytest.mark.parametrize("decoder_depth", [1, 3])
def test_the_mean_loss_over_all_choices_is_the_loss_of_all_masked_patches(
    decoder_depth, make, plain, data
):
    settings = {"decoder_depth": decoder_depth, "mask_ratio": 0.25}
    method = make(prediction_ratio=0.125, **settings)
    images, seen, masking = method.prepare(data.rows(slice(1)), stream(2))
    (masked,) = masking.ids_masked.tolist()
    losses = []
    for pair in combinations(masked, 2):
        rest = [patch for patch in masked if patch not in pair]
        order = masking._replace(ids_masked=torch.tensor([[*pair, *rest]]))
        losses.append(method((images, seen, order)))
    assert len(losses) == 6
    whole = plain(**settings)((images, seen, masking))
    assert torch.allclose(torch.stack(losses).mean(), whole, atol=1e-6)
    assert torch.stack(losses).std() > 0


@pytest.mark.parametrize(
    ("prediction_ratio", "patch_size", "count"),
    [(0.25, 2, 4), (0.25, 1, 16), (0.01, 2, 1), (0.3, 2, 5), (0.07, 1, 5)],
)
def test_it_asks_for_that_share_of_all_patches_all_of_them_masked(
    prediction_ratio, patch_size, count, make, data
):
    method = make(prediction_ratio=prediction_ratio, patch_size=patch_size)
    example = method.prepare(data, stream(2))
    asked = asked_in_a_step(method, example)
    assert asked.shape == (6, count)
    for ids, mask in zip(asked, example[2].mask, strict=True):
        assert ids.unique().numel() == count
        assert (mask[ids] == 1).all()


@pytest.mark.parametrize(
    "masks",
    [
        {},
        {"mask_unit": 4, "mask_ratio": 0.5},
        {"mask_family": "block", "mask_ratio": 0.5},
        {"mask_family": "aligned", "mask_ratio": 0.5},
        {"mask_family": "left"},
    ],
)
def test_every_masked_patch_is_asked_for_as_often_as_any_other(masks, make):
    method = make(prediction_ratio=0.25, **masks)
    n = 4000
    images = torch.zeros(n, 1, 8, 8)
    _, _, masking = method.prepare(Batch(images), stream(2))
    first = torch.zeros(n, 16).scatter_(1, masking.ids_masked[:, : method.most], 1.0)
    often, asked = masking.mask.sum(0), first.sum(0)
    share = method.most / masking.ids_masked.shape[1]
    error = 4 * (share * (1 - share) / often.clamp_min(1)).sqrt()
    seen = often > 0
    assert ((asked / often - share).abs() < error)[seen].all()


def test_of_masks_of_single_patches_it_draws_no_more_than_mae(make, plain, data):
    method, mae = make(), plain()
    ours, theirs = stream(2), stream(2)
    for _ in range(3):
        one, two = method.prepare(data, ours)[2], mae.prepare(data, theirs)[2]
        assert torch.equal(one.ids_keep, two.ids_keep)
        assert torch.equal(one.ids_masked, two.ids_masked)
    # Of blocks it must, and hides the same patches all the same.
    method, mae = (kind(mask_family="block") for kind in (make, plain))
    one, two = (m.prepare(data, stream(2))[2] for m in (method, mae))
    assert torch.equal(one.mask, two.mask)
    assert not torch.equal(one.ids_masked, two.ids_masked)


def test_it_reconstructs_all_masked_patches_as_mae_does(make, plain, data):
    ours, theirs = (kind().reconstruct(data, stream(2)) for kind in (make, plain))
    assert ours[0].shape[1] == 12
    for one, two in zip(ours[:2], theirs[:2], strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_to_mask": True}, "choose False, or MAE"),
        ({"prediction_ratio": 0.0}, r"prediction_ratio 0\.0 is no share"),
        ({"prediction_ratio": 1.5}, r"prediction_ratio 1\.5 is no share"),
        ({"prediction_ratio": float("nan")}, "prediction_ratio nan is no share"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message, make):
    with pytest.raises(ValueError, match=message):
        make(**settings)
