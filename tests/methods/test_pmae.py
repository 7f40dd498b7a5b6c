"""What is hidden is not shown, and the loss is of what is hidden."""

import pytest
import torch

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.pmae import PMAE
from mae_bench.models.vit import patchify


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> PMAE:
    return PMAE(GaussianField(rng(), image_size=4), rng(1), **settings)


def test_the_basis_is_of_principal_components():
    method = built()
    eye = method.basis.T @ method.basis
    torch.testing.assert_close(eye, torch.eye(16), atol=1e-5, rtol=0)
    x = method.dataset.sample(20_000, rng(2)).images.flatten(1)
    found = ((x - x.mean(0)) @ method.basis).var(0) / x.var(0).sum()
    torch.testing.assert_close(found, method.shares, atol=0.03, rtol=0)


@pytest.mark.parametrize("mask_ratio", [0.1, 0.5, 0.9])
def test_components_are_hidden_until_their_variance_is_the_ratio(mask_ratio):
    method = built(mask_ratio=mask_ratio)
    hidden = method.hidden(500, rng(2))
    held = hidden.float() @ method.shares
    assert hidden.any(1).all()
    assert (~hidden).any(1).all()
    # The last one hidden went over the ratio, unless but one is left.
    over = (held >= mask_ratio - 1e-5) | ((~hidden).sum(1) == 1)
    assert over.all()
    assert (held - method.shares.max() < mask_ratio + 1e-5).all()


def test_the_loss_is_of_what_is_hidden_and_blind_to_how_it_was(monkeypatch):
    method = built()
    images = method.dataset.sample(6, rng(2)).images
    hidden = method.hidden(6, rng(3))
    part = images.flatten(1) - method.centre
    asked = ((part @ method.basis) * hidden) @ method.basis.T
    seen = []

    def decode(tokens):
        seen.append(tokens)
        return patchify((images.flatten(1) - asked).view_as(images), 2)

    monkeypatch.setattr(method, "decode", decode)
    loss = method((images, hidden))
    assert loss.item() == pytest.approx(
        asked.square().sum(1).mean().item() / 16, rel=1e-4
    )
    # Other values of the hidden components are not seen by the encoder.
    other = (images.flatten(1) + asked).view_as(images)
    method((other, hidden))
    torch.testing.assert_close(seen[0], seen[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("mask_ratio", [0.0, 1.0])
def test_a_ratio_out_of_range_is_named(mask_ratio):
    with pytest.raises(ValueError, match=f"mask_ratio is {mask_ratio}"):
        built(mask_ratio=mask_ratio)
