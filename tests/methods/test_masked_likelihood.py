"""Estimates are those of a slow search over the sum of conditionals."""

import math

import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.methods.masked_likelihood import MaskedLikelihood
from mae_bench.oracles.masked_likelihood import chain, masks_of


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> MaskedLikelihood:
    return MaskedLikelihood(ARChain(rng(), image_size=2), rng(1), length=4, **settings)


@pytest.mark.parametrize("masks", ["one", "all"])
@pytest.mark.parametrize("masked", [1, 3, 4])
def test_the_estimate_is_the_top_of_the_summed_conditionals(masked, masks):
    method = built(masked=masked, masks=masks, samples=40, fits=2)
    again = rng(1)
    x = method.dataset.sample(80, again).images.flatten(1).double().view(2, 40, 4)
    which = torch.randint(math.comb(4, masked), (2, 40), generator=again)
    visible = [v.tolist() for v in masks_of(4, masked)]

    def loss(phi, fit):
        covariance = chain(4, phi)[0].numpy()
        total = 0.0
        for sample, drawn in zip(x[fit].numpy(), which[fit].tolist(), strict=True):
            for seen in visible if masks == "all" else [visible[drawn]]:
                total -= multivariate_normal.logpdf(sample, cov=covariance)
                if seen:
                    part = covariance[seen][:, seen]
                    total += multivariate_normal.logpdf(sample[seen], cov=part)
        return total

    for fit, found in enumerate(method.estimates.tolist()):
        near = {"bounds": (found - 0.1, min(0.99, found + 0.1)), "method": "bounded"}
        best = minimize_scalar(loss, args=(fit,), options={"maxiter": 25}, **near)
        assert found == pytest.approx(best.x, abs=2e-3)


def test_many_samples_give_the_correlation():
    found = built(masked=2, masks="one", samples=20_000, fits=3).estimates
    torch.testing.assert_close(found, torch.full_like(found, 0.7), atol=0.02, rtol=0)


def test_features_are_the_last_pixel_as_the_one_before_tells_it():
    method, batch = built(fits=5), ARChain(rng(), image_size=2).sample(3, rng(2))
    expected = batch.images.flatten(1)[:, 2, None] * method.estimates.float()
    torch.testing.assert_close(method.features(batch)["mean"], expected)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(3, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"masked": 0}, r"masked is 0; give an integer in 1\.\.4"),
        ({"masked": 5}, "masked is 5"),
        ({"masks": "some"}, "masks is 'some'"),
        ({"samples": 0}, "20 fits of 0 samples"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        built(**settings)


def test_too_long_a_chain_and_too_many_masks_are_named():
    world = ARChain(rng(), image_size=5)
    with pytest.raises(ValueError, match=r"length is 26; give an integer in 2\.\.25"):
        MaskedLikelihood(world, rng(), length=26)
    with pytest.raises(ValueError, match="masked is 12: of 25 pixels there are more"):
        MaskedLikelihood(world, rng(), length=25, masked=12)
