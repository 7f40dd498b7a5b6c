"""All sizes together choose maximum likelihood; one size does if the model is right."""

import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.masked_score import MaskedScore
from mae_bench.oracles.masked_likelihood import chain


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def field() -> GaussianField:
    return GaussianField(rng(), image_size=2, length=3.0)


def test_all_sizes_choose_maximum_likelihood():
    method = MaskedScore(field(), rng(1), samples=50)
    x = method.dataset.sample(50, rng(1)).images.flatten(1).numpy()

    def loss(phi):
        return -multivariate_normal.logpdf(x, cov=chain(4, phi)[0].numpy()).sum()

    best = minimize_scalar(loss, bounds=(0.0, 0.97), method="bounded")
    assert method.phi == pytest.approx(best.x, abs=2e-3)


def test_one_size_chooses_the_same_only_if_the_model_is_right():
    for world, same in ((ARChain(rng(), image_size=2), True), (field(), False)):
        found = [
            MaskedScore(world, rng(1), masked=m, samples=50_000).phi for m in (0, 3)
        ]
        assert (abs(found[0] - found[1]) < 0.02) == same


def test_features_are_a_pixel_as_the_one_before_tells_it():
    method = MaskedScore(field(), rng(1))
    batch = method.dataset.sample(3, rng(2))
    expected = batch.images.flatten(1)[:, 2, None] * method.phi
    torch.testing.assert_close(method.features(batch)["mean"], expected)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(3, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"masked": 4}, r"masked is 4; give an integer in 0\.\.3"),
        ({"masked": -1}, "masked is -1"),
        ({"samples": 0}, "samples is 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        MaskedScore(field(), rng(), **settings)
