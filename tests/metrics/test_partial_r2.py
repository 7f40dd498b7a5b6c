"""Partial R² at its ends, against exact conditioning, and its known lies."""

from typing import NamedTuple

import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from torch import Tensor

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.metrics import Split, standardise
from mae_bench.metrics.block_r2 import ALPHAS, GAMMAS, MAX_ROWS, block_r2
from mae_bench.metrics.partial_r2 import explained, partial_r2, residuals

SIZES = (MAX_ROWS, 200, 600)


class Drawn(NamedTuple):
    root: Tensor
    leaf: Tensor
    noise: Tensor


def world() -> GaussianTree:
    seed = torch.Generator().manual_seed(0)
    return GaussianTree(
        seed, tree_depth=1, node_width=2, parent_weight=0.8, pixel_noise=0.5
    )


def splits(encode, sizes=SIZES):
    """Features ``encode(Drawn)`` of a tree of two levels, 2 and 8 wide."""
    tree, found = world(), []
    for seed, n in enumerate(sizes):
        generator = torch.Generator().manual_seed(seed)
        batch = tree.sample(n, generator)
        noise = torch.randn(n, 8, generator=generator)
        z = batch.latents
        found.append(Split(encode(Drawn(z["level_0"], z["level_1"], noise)), z))
    return found


def test_a_code_of_the_root_tells_nothing_beyond_it():
    scores = partial_r2(*splits(lambda z: z.root))
    assert scores["level_0"] > 0.99
    assert abs(scores["level_1"]) < 0.02
    assert block_r2(*splits(lambda z: z.root))["level_1"] > 0.5


def test_a_smooth_code_of_the_root_tells_nothing_beyond_it_either():
    def encode(z: Drawn) -> Tensor:
        return torch.cat([torch.tanh(2 * z.root), z.root.square()], 1)

    assert abs(partial_r2(*splits(encode))["level_1"]) < 0.02


def test_a_code_of_everything_tells_all_of_it():
    scores = partial_r2(*splits(lambda z: torch.tanh(z.leaf / 2)))
    assert scores["level_1"] > 0.93


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_noise_on_the_private_part_gives_the_ratio_of_variances(sigma):
    scores = partial_r2(*splits(lambda z: z.leaf + sigma * z.noise))
    private = 1 - 0.8**2
    expected = private / (private + sigma**2)
    assert scores["level_1"] == pytest.approx(expected, abs=0.04)


def test_pixels_tell_what_exact_conditioning_says():
    tree = world()
    batches = [
        tree.sample(n, torch.Generator().manual_seed(i))
        for i, n in enumerate((500, 500, 300, 1000))
    ]
    root, leaf = ([b.latents[level] for b in batches] for level in tree.levels)
    found = explained([b.images.flatten(1) for b in batches], root, leaf)
    # Var(z_1 | z_0) = (1 - a²) I, and a leaf's patterns have the Gram matrix 2 I.
    exact = 2 * (1 - 0.8**2) / (2 * (1 - 0.8**2) + 0.5**2)
    assert exact - 0.03 < found < exact + 0.02


def test_residuals_are_scikit_learns(generator):
    def draw(n: int) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, 2, generator=generator).double()
        noise = 0.3 * torch.randn(n, 1, generator=generator)
        return x, x.prod(1, keepdim=True) + noise

    known, wanted = zip(*(draw(n) for n in (150, 80, 60)), strict=True)
    x, x_val, x_test = (t.numpy() for t in standardise(*known))
    z, z_val, z_test = (t.numpy() for t in standardise(*wanted))
    fits = [
        KernelRidge(kernel="rbf", alpha=alpha, gamma=gamma / 2).fit(x, z)
        for gamma in GAMMAS
        for alpha in ALPHAS
    ]
    best = max(fits, key=lambda fit: fit.score(x_val, z_val))
    for ours, inputs, true in zip(
        residuals(known, wanted), (x_val, x_test), (z_val, z_test), strict=True
    ):
        theirs = torch.from_numpy(true - best.predict(inputs))
        torch.testing.assert_close(ours, theirs, atol=1e-8, rtol=0)


def test_independent_features_score_at_most_zero():
    scores = partial_r2(*splits(lambda z: z.noise))
    assert max(scores.values()) < 0.02


def test_constant_features_score_about_zero():
    scores = partial_r2(*splits(lambda z: torch.ones_like(z.noise)))
    assert scores == pytest.approx({"level_0": 0, "level_1": 0}, abs=0.02)


def test_what_shows_only_together_with_the_root_is_not_seen():
    def encode(z: Drawn) -> Tensor:
        return z.leaf * z.root[:, :1].sign()

    assert partial_r2(*splits(encode))["level_1"] < 0.3


def test_only_the_first_thousand_training_images_are_used():
    train, val, test = splits(lambda z: z.leaf, (MAX_ROWS + 50, 50, 50))
    spoilt = train.features.clone()
    spoilt[MAX_ROWS:] = 1e3
    given = (val, test)
    assert partial_r2(Split(spoilt, train.target), *given) == partial_r2(train, *given)


def test_features_that_are_no_numbers_and_too_few_images_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        partial_r2(*splits(lambda z: z.leaf / 0 * 0, (40, 20, 20)))
    with pytest.raises(ValueError, match="split of 9 images"):
        partial_r2(*splits(lambda z: z.leaf, (19, 20, 20)))


@pytest.mark.parametrize(("signs", "most"), [((1, -1, 1), 0.6), ((1, 1, -1), -2)])
def test_the_penalty_is_chosen_on_val_where_test_would_have_another(
    signs, most, generator
):
    # The map that is right in train is wrong in val, which shrinks it away; or in test.
    drawn = torch.randn(3, 200, 1, generator=generator)
    given = [Split(z, {"": c * z}) for c, z in zip(signs, drawn, strict=True)]
    assert partial_r2(*given)[""] < most
