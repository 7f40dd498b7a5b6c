"""Decoders against slow twins: MAE's in natural order, the others patch by patch."""

import pytest
import torch

from mae_bench.models.decoder import Decoder, LinearDecoder, PointwiseDecoder
from mae_bench.models.masking import random_masking
from mae_bench.models.vit import sincos_positions

GRID, IN_DIM, DIM, PATCH_DIM = 4, 12, 16, 5


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def decoder(depth: int = 2, seed: int = 0) -> Decoder:
    return Decoder(
        stream(seed),
        grid=GRID,
        in_dim=IN_DIM,
        embed_dim=DIM,
        depth=depth,
        num_heads=4,
        patch_dim=PATCH_DIM,
    )


def pointwise(depth: int = 2, seed: int = 0) -> PointwiseDecoder:
    return PointwiseDecoder(
        stream(seed),
        grid=GRID,
        in_dim=IN_DIM,
        embed_dim=DIM,
        depth=depth,
        patch_dim=PATCH_DIM,
    )


def plain(net: Decoder, tokens, masking):
    """He et al.: mask tokens appended, unshuffled, all decoded, CLS dropped."""
    x = net.embed(tokens)
    mask_tokens = net.mask_token.expand(len(x), masking.ids_masked.shape[1], DIM)
    patches = torch.cat([x[:, 1:], mask_tokens], 1)
    rows = [patches[n, masking.ids_restore[n]] for n in range(len(x))]
    x = torch.cat([x[:, :1], torch.stack(rows) + sincos_positions(DIM, GRID)], 1)
    for block in net.blocks:
        x = block(x)
    return net.pred(net.norm(x))[:, 1:]


@pytest.mark.parametrize("depth", [1, 3])
def test_it_predicts_what_maes_decoder_predicts(depth):
    masking = random_masking(3, GRID, 0.7, stream(1))
    tokens = torch.randn(3, 1 + masking.ids_keep.shape[1], IN_DIM, generator=stream(2))
    net = decoder(depth)
    found = net(tokens, masking.ids_keep, masking.ids_masked)
    every = plain(net, tokens, masking)
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids):
            assert torch.allclose(found[n, m], every[n, patch], atol=1e-5)


def test_only_the_place_of_a_patch_counts_not_its_order():
    masking = random_masking(3, GRID, 0.7, stream(1))
    keep, masked = masking.ids_keep, masking.ids_masked
    tokens = torch.randn(3, 1 + keep.shape[1], IN_DIM, generator=stream(2))
    net = decoder()
    expected = net(tokens, keep, masked)
    turned = torch.cat([tokens[:, :1], tokens[:, 1:].flip(1)], 1)
    found = net(turned, keep.flip(1), masked.flip(1)).flip(1)
    assert torch.allclose(found, expected, atol=1e-5)
    elsewhere = net(tokens, keep.flip(1), masked)
    assert not torch.allclose(elsewhere, expected, atol=1e-3)


def test_a_code_alone_is_decoded_without_a_place():
    masking = random_masking(3, GRID, 0.7, stream(1))
    code = torch.randn(3, 1, IN_DIM, generator=stream(2))
    net = decoder(depth=1)
    found = net(code, masking.ids_keep[:, :0], masking.ids_masked)
    x = net.embed(code)
    queries = net.mask_token + sincos_positions(DIM, GRID)[masking.ids_masked]
    x = net.blocks[0](torch.cat([x, queries], 1))
    assert torch.allclose(found, net.pred(net.norm(x))[:, 1:], atol=1e-5)


def test_the_linear_decoder_has_a_linear_map_for_each_place():
    net = LinearDecoder(stream(), grid=GRID, in_dim=IN_DIM, patch_dim=PATCH_DIM)
    masking = random_masking(3, GRID, 0.7, stream(1))
    tokens = torch.randn(3, 5, IN_DIM, generator=stream(2))
    found = net(tokens, masking.ids_keep, masking.ids_masked)
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids.tolist()):
            rows = slice(patch * PATCH_DIM, (patch + 1) * PATCH_DIM)
            expected = net.pred.weight[rows] @ tokens[n].mean(0) + net.pred.bias[rows]
            assert torch.allclose(found[n, m], expected, atol=1e-5)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_pointwise_decoder_is_an_mlp_of_the_mean_token_and_the_place(depth):
    net = pointwise(depth)
    masking = random_masking(3, GRID, 0.7, stream(1))
    tokens = torch.randn(3, 5, IN_DIM, generator=stream(2))
    found = net(tokens, masking.ids_keep, masking.ids_masked)
    assert len(net.blocks) == depth
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids):
            h = net.embed(tokens[n].mean(0)) + net.places[patch]
            for into, gelu, out in net.blocks:
                h = h + out(gelu(into(h)))
            assert torch.allclose(found[n, m], net.pred(h), atol=1e-5)


def test_the_pointwise_decoder_does_not_know_which_others_are_asked_or_kept():
    net = pointwise().double()
    tokens = torch.randn(2, 1, IN_DIM, generator=stream(1)).double()
    ids = torch.arange(GRID**2).expand(2, -1)
    many = net(tokens, ids[:, :0], ids)
    few = net(tokens, ids[:, :4], ids[:, 4:6].flip(1))
    assert torch.allclose(few, many[:, 4:6].flip(1), atol=1e-6)
    # Places differ from the start.
    assert (many.std(1) > 0.1).all()


def test_the_pointwise_decoder_learns_its_places():
    net = pointwise()
    ids = torch.tensor([[1, 6]])
    net(torch.ones(1, 1, IN_DIM), ids[:, :0], ids).square().sum().backward()
    moved = net.places.grad.abs().sum(1).nonzero().flatten().tolist()
    assert moved == [1, 6]


@pytest.mark.parametrize(
    ("built", "drawn"), [(decoder, "mask_token"), (pointwise, "places")]
)
def test_weights_depend_on_the_generator_alone(built, drawn):
    torch.manual_seed(1)
    one = built().state_dict()
    torch.manual_seed(2)
    two, other = built().state_dict(), built(seed=1).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one[drawn], other[drawn])


@pytest.mark.parametrize("built", [decoder, pointwise])
def test_a_decoder_without_blocks_is_refused(built):
    with pytest.raises(ValueError, match="decoder depth 0; choose 1 or more"):
        built(depth=0)


def test_without_mask_to_mask_a_masked_patch_does_not_know_which_others_are_asked() -> (
    None
):
    sizes = {"grid": 4, "in_dim": 8, "embed_dim": 8, "num_heads": 2, "patch_dim": 4}
    tokens = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    ids = torch.arange(16).expand(2, -1)
    keep, few, many = ids[:, :4], ids[:, 4:6], ids[:, 4:]
    for depth in (1, 3):
        for apart in (True, False):
            decoder = Decoder(
                torch.Generator().manual_seed(0),
                depth=depth,
                mask_to_mask=not apart,
                **sizes,
            )
            one, two = decoder(tokens, keep, few), decoder(tokens, keep, many)[:, :2]
            assert torch.allclose(one, two, atol=1e-5) == apart


def test_without_pos_embed_visible_tokens_may_change_places() -> None:
    sizes = {"grid": 4, "in_dim": 8, "embed_dim": 8, "num_heads": 2, "patch_dim": 4}
    tokens = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    ids = torch.arange(16).expand(2, -1)
    for known in (True, False):
        decoder = Decoder(
            torch.Generator().manual_seed(0), depth=2, pos_embed=known, **sizes
        )
        one = decoder(tokens, ids[:, :4], ids[:, 4:8])
        two = decoder(tokens, ids[:, 8:12], ids[:, 4:8])
        assert torch.allclose(one, two, atol=1e-5) != known
