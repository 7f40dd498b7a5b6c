"""No linear map through d numbers has a smaller error, and none of its own is worse."""

import pytest
import torch

from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.methods.reduced_rank import N_FIT, ReducedRank, reduced_rank
from mae_bench.models.vit import patchify


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def data(n: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    x = normal(n, 6) @ normal(6, 6, seed=1)
    y = x @ normal(6, 4, seed=2) + normal(n, 4, seed=3)
    return x - x.mean(0), y - y.mean(0)


def loss(x, y, encoder, decoder):
    return (y - x @ encoder @ decoder).square().sum().item()


def test_at_full_rank_it_is_least_squares():
    x, y = data()
    encoder, decoder = reduced_rank(x, y, 4)
    exact = torch.linalg.lstsq(x, y).solution
    torch.testing.assert_close(encoder @ decoder, exact, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_alternating_least_squares_ends_at_the_same_error(rank):
    x, y = data()
    found = loss(x, y, *reduced_rank(x, y, rank))
    decoder = normal(rank, 4, seed=4)
    for _ in range(500):
        encoder = torch.linalg.lstsq(x, y).solution @ torch.linalg.pinv(decoder)
        decoder = torch.linalg.lstsq(x @ encoder, y).solution
    assert found == pytest.approx(loss(x, y, encoder, decoder), rel=1e-6)


def test_it_is_not_the_principal_components_of_what_is_visible():
    x, y = data()
    x = torch.cat([x, 100 * normal(400, 1, seed=5)], 1)  # loud, and of no use
    encoder, _ = reduced_rank(x, y, 2)
    assert (encoder[-1] * 100).abs().max() < 0.1 * (encoder[:-1]).abs().max()


def test_pixels_that_are_twice_there_are_no_error():
    x, y = data()
    once = loss(x, y, *reduced_rank(x, y, 2))
    twice = torch.cat([x, x], 1)
    assert loss(twice, y, *reduced_rank(twice, y, 2)) == pytest.approx(once, rel=1e-4)


def test_a_linear_tree_needs_no_more_numbers_than_c_and_no_fewer():
    world = InvertibleTree(rng(), hidden=0)
    x, y = (half(world.sample(4000, rng(9)), side) for side in (True, False))

    def error(d):
        method = ReducedRank(world, rng(1), bottleneck=d, mask_family="left")
        code = (x - method.centre) @ method.encoder
        return (y - code @ method.decoder).square().mean().item()

    assert error(2) < 0.95 * error(1)
    assert error(8) == pytest.approx(error(2), rel=0.01)


def half(batch, right):
    patches = patchify(batch.images, 2).view(len(batch), 4, 4, 4)
    return patches[:, :, 2:].flatten(1) if right else patches[:, :, :2].flatten(1)


def test_what_is_masked_is_not_looked_at():
    world = InvertibleTree(rng())
    method = ReducedRank(world, rng(1))
    batch = world.sample(5, rng(2))
    code = method.features(batch)["code"]
    batch.images[:, :, :, :4] = 7.0
    assert torch.equal(method.features(batch)["code"], code)
    batch.images[:, :, :, 4:] = 7.0
    assert not torch.equal(method.features(batch)["code"], code)


def test_the_code_is_shown_its_own_patches_or_none():
    world = InvertibleTree(rng())
    method, batch = ReducedRank(world, rng(1)), world.sample(5, rng(2))
    own = method.masking(5, rng()).ids_keep
    code = method.features(batch, own.flip(1))
    assert torch.equal(code["code"], method.features(batch)["mean"])
    with pytest.raises(ValueError, match="'left' leaves"):
        method.features(batch, own - 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_family": "random"}, "mask_family 'random'"),
        ({"bottleneck": 0}, "bottleneck 0; choose from 1 to 32"),
        ({"bottleneck": 5, "mask_family": "leaf"}, "choose from 1 to 4"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ReducedRank(InvertibleTree(rng()), rng(), **settings)


def test_it_is_fitted_to_more_images_than_it_reads_pixels():
    assert len(ReducedRank(InvertibleTree(rng()), rng(1)).encoder) == 32 < N_FIT
