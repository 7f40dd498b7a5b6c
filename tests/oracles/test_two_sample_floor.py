"""The floor against a linear world's closed form and against the best guess itself."""

import pytest
import torch

from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.oracles.located_latents import locate
from mae_bench.oracles.two_sample_floor import (
    shared_ancestors,
    two_sample_floor,
    two_sample_r2,
)

LEFT = torch.tensor([[1.0, 1.0, 0.0, 0.0]]).repeat(4, 1).view(1, 16)
CENTRE = (
    torch.zeros(4, 4)
    .index_put(
        (torch.tensor([1, 1, 2, 2]), torch.tensor([1, 2, 1, 2])), torch.tensor(1.0)
    )[None]
    .flatten(1)
)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def pixels_of(mask, world):
    side, p = 2 ** len(world.parents), world.leaf_size
    squares = torch.ones(p, p)
    return torch.kron(mask.view(side, side), squares).flatten() == 1


def loadings_of(world, what):
    """[ε, _] of a linear world: what an image or a level is of its root and ε."""
    batch = world.sample(400, rng(5))
    free = [
        z for name, z in batch.latents.items() if name == "level_0" or "eps" in name
    ]
    x = batch.images if what == "images" else batch.latents[what]
    x = x.flatten(1).double()
    eps = torch.cat([*free, torch.ones(400, 1)], 1).double()
    loadings = torch.linalg.lstsq(eps, x).solution
    assert (eps @ loadings - x).abs().max() < 1e-4
    return loadings[:-1]


def closed_form(world, mask):
    """tr Var(x_m | x_v) / m of a world whose pixels are linear in the root and ε."""
    loadings = loadings_of(world, "images")
    C, m = loadings.T @ loadings, pixels_of(mask, world)
    gain = C[m][:, ~m] @ torch.linalg.pinv(C[~m][:, ~m], rtol=1e-6, hermitian=True)
    return (C[m][:, m] - gain @ C[~m][:, m]).diagonal().mean().item()


@pytest.mark.parametrize("settings", [{}, {"root_width": 3, "dag": True}])
@pytest.mark.parametrize("mask", [LEFT, CENTRE])
def test_the_floor_of_a_linear_world_is_the_closed_form(settings, mask):
    world = InvertibleTree(rng(1), hidden=0, **settings)
    batch = world.sample(8000, rng(2))
    floor = two_sample_floor(world, batch, mask, rng(3))
    four_sigma = 4 * floor.std().item() / 8000**0.5
    assert floor.mean().item() == pytest.approx(
        closed_form(world, mask), abs=four_sigma
    )


def exact_r2(world, mask, level):
    """Mean over coordinates of the R² of E[z | x_v] in a linear world."""
    Z, X = (loadings_of(world, what) for what in (level, "images"))
    X = X[:, ~pixels_of(mask, world)]
    cross = Z.T @ X
    known = cross @ torch.linalg.pinv(X.T @ X, rtol=1e-6, hermitian=True) @ cross.T
    return (known.diagonal() / Z.square().sum(0)).mean().item()


@pytest.mark.parametrize("settings", [{}, {"root_width": 3, "dag": True}])
@pytest.mark.parametrize("mask", [LEFT, CENTRE, 1 - CENTRE])
def test_the_r2_of_a_linear_worlds_latents_is_that_of_conditioning(settings, mask):
    world = InvertibleTree(rng(1), hidden=0, **settings)
    found = two_sample_r2(world, world.sample(8000, rng(2)), mask, rng(3))
    assert set(found) == set(world.levels)
    for level, r2 in found.items():
        assert r2 == pytest.approx(exact_r2(world, mask, level), abs=0.01), level


def test_the_r2_of_latents_is_that_of_the_mean_of_many_draws():
    """Whose error is that of the best guess, and a hundredth more."""
    world, redraws = InvertibleTree(rng(1)), 100
    batch = world.sample(3000, rng(2))
    known = [torch.tensor([[True]]), torch.tensor([[False, True, False, True]])]
    known.append(LEFT == 0)
    generator = rng(3)
    draws = [
        world.redraw_except(batch.latents, known, generator).latents
        for _ in range(redraws)
    ]
    found = two_sample_r2(world, batch, LEFT, rng(4))
    for level, z in batch.latents.items():
        guess = torch.stack([draw[level] for draw in draws]).mean(0)
        error = (z - guess).square().mean(0) / (1 + 1 / redraws)
        best = (1 - error / z.var(0, correction=0)).mean().item()
        assert found[level] == pytest.approx(best, abs=0.02)


def test_what_is_seen_of_every_image_is_known_exactly():
    world = InvertibleTree(rng(1))
    batch = world.sample(50, rng(2))
    found = two_sample_r2(world, batch, torch.zeros(1, 16), rng(3))
    assert found == dict.fromkeys(world.levels, 1.0)
    assert two_sample_r2(world, batch, LEFT, rng(3))["level_0"] == 1.0


@pytest.mark.parametrize("mask", [LEFT, CENTRE])
def test_the_floor_is_the_error_of_the_mean_given_what_is_shared(mask):
    world, redraws = InvertibleTree(rng(1)), 100
    batch = world.sample(3000, rng(2))
    keep, m = shared_ancestors(world, mask), pixels_of(mask, world)
    generator = rng(3)
    total = sum(
        world.redraw_except(batch.latents, keep, generator).images
        for _ in range(redraws)
    )
    error = (batch.images - total / redraws).flatten(1)[:, m].square().mean(1)
    # The mean of a hundred draws has a hundredth of the error of one.
    expected = error.double() / (1 + 1 / redraws)
    floor = two_sample_floor(world, batch, mask, rng(4))
    four_sigma = 4 * (floor - expected).std().item() / 3000**0.5
    assert floor.mean().item() == pytest.approx(expected.mean().item(), abs=four_sigma)
    assert floor.mean() < 0.9


def test_with_everything_masked_the_floor_is_the_variance():
    world = InvertibleTree(rng(1))
    batch = world.sample(8000, rng(2))
    floor = two_sample_floor(world, batch, torch.ones(1, 16), rng(3))
    variance = batch.images.flatten(1).var(0).mean().item()
    assert floor.mean().item() == pytest.approx(variance, rel=0.02)


def test_a_mask_of_each_image_and_one_for_all_agree():
    world = InvertibleTree(rng(1))
    batch = world.sample(20, rng(2))
    one = two_sample_floor(world, batch, CENTRE, rng(3))
    each = two_sample_floor(world, batch, CENTRE.repeat(20, 1), rng(3))
    assert torch.equal(one, each)
    mixed = torch.cat([LEFT, CENTRE]).repeat_interleave(10, 0)
    floor = two_sample_floor(world, batch, mixed, rng(3))
    assert torch.equal(floor[10:], one[10:])
    assert not (floor[:10] == one[:10]).any()


def test_redrawing_does_not_touch_what_is_visible_of_the_shared():
    world = InvertibleTree(rng(1))
    batch = world.sample(4, rng(2))
    keep = shared_ancestors(world, CENTRE)
    assert [flags.sum().item() for flags in keep] == [1, 4, 0]
    other = world.redraw_except(batch.latents, keep, rng(3))
    assert torch.equal(other.latents["level_1"], batch.latents["level_1"])


@pytest.mark.parametrize(
    "settings",
    [{}, {"root_width": 3, "dag": True}, {"depth": 3, "root_width": 1}],
)
def test_the_shared_ancestors_are_those_that_the_graph_locates(settings):
    world = InvertibleTree(rng(), **settings)
    depth, leaves = len(world.parents), len(world.parents[-1])
    order = torch.rand(60, leaves, generator=rng(1)).argsort(1)
    masks = (order < torch.randint(1, leaves, (60, 1), generator=rng(2))).float()
    found = shared_ancestors(world, masks)
    assert [flags.shape for flags in found] == [(60, 4**k) for k in range(depth + 1)]
    for row, mask in enumerate(masks):
        named = {f"{depth}/{i}" for i in mask.nonzero()[:, 0].tolist()}
        fast = {
            f"{level}/{i}"
            for level, flags in enumerate(found)
            for i in flags[row].nonzero()[:, 0].tolist()
        }
        assert fast == locate(world.graph(), named).shared_ancestors


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.zeros(1, 16), "nothing masked"),
        (torch.full((1, 16), 0.5), "other than 0"),
        (torch.ones(1, 4), "mask has 4 leaves; give this world's 16"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask, message):
    world = InvertibleTree(rng())
    with pytest.raises(ValueError, match=message):
        two_sample_floor(world, world.sample(3, rng()), mask, rng())


def test_no_redraws_are_refused():
    world = InvertibleTree(rng())
    with pytest.raises(ValueError, match="redraws is 0"):
        two_sample_floor(world, world.sample(3, rng()), LEFT, rng(), redraws=0)
    with pytest.raises(ValueError, match="redraws is 0"):
        two_sample_r2(world, world.sample(3, rng()), LEFT, rng(), redraws=0)
