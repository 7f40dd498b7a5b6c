"""The participation ratio at its ends, against numpy, and its tie to uniformity."""

import numpy as np
import pytest
import torch

from mae_bench.metrics._stream import TooFew
from mae_bench.metrics.participation_ratio import participation_ratio


def test_the_centred_ratio_is_that_of_the_covariance(generator):
    x = torch.randn(70, 6, generator=generator) * torch.arange(1, 7) + 9
    values = np.linalg.eigvalsh(np.cov(x.double().numpy().T))
    expected = values.sum() ** 2 / (values**2).sum()
    assert float(participation_ratio(x)["centred"]) == pytest.approx(expected)


def test_the_uncentred_ratio_is_one_over_u_maes_penalty(generator):
    x = torch.randn(30, 6, generator=generator) + 0.5
    squares = [float(torch.cosine_similarity(a, b, dim=0)) ** 2 for a in x for b in x]
    ratio = float(participation_ratio(x)["uncentred"])
    assert ratio == pytest.approx(1 / np.mean(squares), rel=1e-5)


def test_equal_variances_are_counted():
    corners = torch.cat([torch.eye(5), -torch.eye(5)])
    ratios = participation_ratio(3 * corners)
    assert [float(r) for r in ratios.values()] == pytest.approx([5, 5])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_collapsed_features_have_ratio_one(value):
    ratios = participation_ratio(torch.full((1000, 32), value))
    assert [float(ratio) for ratio in ratios.values()] == pytest.approx([1, 1])


def test_an_offset_moves_the_uncentred_ratio_only(generator):
    x = torch.randn(500, 8, generator=generator)
    plain, moved = participation_ratio(x), participation_ratio(x + 100)
    torch.testing.assert_close(plain["centred"], moved["centred"], rtol=1e-4, atol=0)
    assert float(plain["uncentred"]) > 7.5
    assert float(moved["uncentred"]) < 1.01


def test_rotation_order_and_duplication_do_not_matter(generator):
    x = torch.randn(100, 8, generator=generator).double() * torch.arange(1, 9)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator).double())[0]
    for variant, ratio in participation_ratio(x).items():
        for y in (x @ rotation, x.flip(0), x.repeat(2, 1), x.repeat(1, 2)):
            torch.testing.assert_close(participation_ratio(y)[variant], ratio)


def test_few_samples_look_collapsed(generator):
    few, many = (torch.randn(n, 64, generator=generator) for n in (64, 6400))
    assert float(participation_ratio(few)["centred"]) < 40
    assert float(participation_ratio(many)["centred"]) > 60


def test_nan_features_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        participation_ratio(torch.tensor([[1.0, float("nan")]] * 3))


def test_one_image_has_ratio_one_and_none_has_no_ratio(generator):
    x = torch.randn(1, 6, generator=generator)
    assert [float(r) for r in participation_ratio(x).values()] == pytest.approx([1, 1])
    with pytest.raises(TooFew, match="of 0 images"):
        participation_ratio(x[:0])
