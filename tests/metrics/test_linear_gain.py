"""Linear gain: none in a Gaussian world, some where there are causes."""

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.linear_gain import (
    fitted_covariance,
    linear_gain,
    linear_guess,
    masked_error,
)
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify
from mae_bench.oracles.belief_propagation import reconstruction
from mae_bench.oracles.ceilings import pixel_mask
from mae_bench.oracles.gaussian_conditioning import conditional_mean


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Exact(MAE):
    """Reconstructs by the Bayes estimator of its world."""

    def reconstruct(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Masking]:
        masking = self.masking(len(batch), generator)
        index = masking.ids_masked[..., None].expand(-1, -1, 4)
        if isinstance(self.dataset, RandomHierarchy):
            mended = reconstruction(self.dataset, batch.images, masking.mask).images
        else:
            mask = pixel_mask(masking.mask, 2, 1)
            x = batch.images.flatten(1)
            mended = conditional_mean(self.dataset.covariance(), x, mask)
            mended = mended.view_as(batch.images)
        guess = patchify(mended.float(), 2).gather(1, index)
        return guess, self.target(batch.images, masking), masking


def test_no_network_gains_in_a_gaussian_world():
    world = GaussianField(rng())
    batch = world.sample(500, rng(1))
    found = linear_gain(Exact(world, rng()), world, batch, rng(2))
    # The rival knows its covariance from 10,000 images.
    assert found["gain"] == pytest.approx(0, abs=0.01)
    frozen = MAE(world, rng()).requires_grad_(False)
    untrained = linear_gain(frozen, world, batch, rng(2))
    assert untrained["gain"] < -0.2
    for name in ("linear", "linear_mae"):
        assert untrained[name] == pytest.approx(found[name])


def test_one_map_for_all_masks_leaves_something_to_gain_even_there():
    world = GaussianField(rng())
    found = linear_gain(Exact(world, rng()), world, world.sample(500, rng(1)), rng(2))
    assert found["linear_mae"] > 1.02 * found["linear"]


def test_the_bayes_estimator_of_a_hierarchy_gains():
    world = RandomHierarchy(rng(), symbols=3, rules="random:2,shift:3")
    method = Exact(world, rng(), mask_ratio=0.25)
    found = linear_gain(method, world, world.sample(500, rng(1)), rng(2))
    assert found["gain"] > 0.3
    assert found["gain"] == pytest.approx(1 - found["masked"] / found["linear"])


def test_the_networks_error_is_that_of_its_masked_patches():
    world = Digits(rng())
    batch = world.split("test", 360, rng())
    method = MAE(world, rng(1)).eval()
    with torch.inference_mode():
        found = linear_gain(method, world, batch, rng(2))
        prediction, target, _ = method.reconstruct(batch, rng(2))
    error = (prediction - target).square().mean()
    assert found["masked"] == pytest.approx(float(error), rel=1e-5)
    # Images of mean 0 and variance 1 in all: less than half is left to guess.
    assert 0.1 < found["linear"] < 0.6


def test_the_guess_is_the_regression_on_what_is_visible():
    x = torch.randn(400, 6, generator=rng()).double()
    x = x @ torch.randn(6, 6, generator=rng(1)).double()
    C = x.T @ x / len(x)
    mask = torch.tensor([0.0, 1, 0, 1, 1, 0]).expand(400, -1)
    weights = torch.linalg.lstsq(x[:, [0, 2, 5]], x[:, [1, 3, 4]]).solution
    guess = linear_guess(C, x, mask)[:, [1, 3, 4]]
    torch.testing.assert_close(guess, x[:, [0, 2, 5]] @ weights)
    error = (guess - x[:, [1, 3, 4]]).square().mean()
    found = masked_error(linear_guess(C, x, mask), x, mask)
    assert found == pytest.approx(float(error))


def test_few_images_are_fitted_with_a_ridge_and_many_with_little():
    choose = torch.randn(300, 16, generator=rng(3)) + torch.randn(
        300, 1, generator=rng(4)
    )
    mask = torch.zeros(300, 16)
    mask[:, ::2] = 1
    extra = {}
    for n in (20, 20_000):
        fit = torch.randn(n, 16, generator=rng(5)) + torch.randn(n, 1, generator=rng(6))
        C = torch.cov(fit.double().T, correction=0)
        ridge = (fitted_covariance(fit, choose, mask) - C).diag() / C.diag().mean()
        extra[n] = float(ridge.mean())
    assert extra[20] == pytest.approx(0.1)
    assert extra[20_000] < 0.1


def test_what_predicts_no_masked_pixels_is_skipped():
    world = GaussianField(rng())
    batch = world.sample(10, rng(1))
    for method in (RandomInit(world, rng()), MAE(world, rng(), norm_pix_loss=True)):
        with pytest.raises(Skip, match="no masked pixels"):
            linear_gain(method, world, batch, rng(2))
