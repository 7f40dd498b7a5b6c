"""Effective rank at its ends, against scipy's singular values, and its known lie."""

import numpy as np
import pytest
import torch
from scipy.linalg import svdvals

from mae_bench.metrics._stream import TooFew
from mae_bench.metrics.effective_rank import effective_rank


def rankme(x: np.ndarray) -> float:
    sigma = svdvals(x)
    p = sigma / sigma.sum() + 1e-7
    return float(np.exp(-(p * np.log(p)).sum()))


def orthonormal(n: int, d: int, generator: torch.Generator) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(n, d, generator=generator).double())[0]


@pytest.mark.parametrize(("n", "d"), [(200, 16), (20, 50), (8, 600)])
def test_it_is_rankme_by_singular_values(n, d, generator):
    x = torch.randn(n, d, generator=generator) * torch.logspace(0, -3, d) + 0.5
    ranks = effective_rank(x)
    y = x.double().numpy()
    assert float(ranks["uncentred"]) == pytest.approx(rankme(y), rel=1e-4)
    # Around its mean a wide matrix loses one singular value, which RankMe still
    # counts as 1e-7.
    expected = rankme(y - y.mean(0))
    assert float(ranks["centred"]) == pytest.approx(expected, rel=1e-4)


def test_equal_directions_are_counted(generator):
    basis = orthonormal(384, 8, generator)
    x = orthonormal(500, 8, generator) @ basis.T
    assert float(effective_rank(x)["uncentred"]) == pytest.approx(8, abs=0.01)


def test_the_share_is_the_centred_rank_over_the_width(generator):
    ranks = effective_rank(torch.randn(500, 20, generator=generator))
    share = float(ranks["centred_share"])
    assert share == pytest.approx(float(ranks["centred"]) / 20)
    assert 0.9 < share < 1


def test_a_common_offset_moves_rankme_but_not_the_centred_rank(generator):
    x = orthonormal(500, 9, generator)[:, 1:]
    x = (x - x.mean(0)) @ orthonormal(64, 8, generator).T
    plain, moved = effective_rank(x), effective_rank(x + 0.05)
    assert float(plain["uncentred"]) == pytest.approx(8, abs=0.02)
    assert float(moved["uncentred"]) < 7.5
    assert float(moved["centred"]) == pytest.approx(float(plain["centred"]), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_collapsed_features_have_rank_one(value):
    ranks = effective_rank(torch.full((1000, 32), value))
    for variant in ("centred", "uncentred"):
        assert float(ranks[variant]) == pytest.approx(1, abs=1e-3)


def test_rotation_order_and_scale_do_not_matter(generator):
    x = torch.randn(100, 8, generator=generator).double() * torch.arange(1, 9)
    y = 30 * x.flip(0) @ orthonormal(8, 8, generator)
    for variant, rank in effective_rank(x).items():
        torch.testing.assert_close(effective_rank(y)[variant], rank)


def test_duplicated_images_and_duplicated_features_change_nothing(generator):
    x = torch.randn(100, 8, generator=generator)
    once = effective_rank(x)
    for twice in (effective_rank(x.repeat(2, 1)), effective_rank(x.repeat(1, 2))):
        for variant in ("centred", "uncentred"):
            torch.testing.assert_close(twice[variant], once[variant], rtol=1e-4, atol=0)


def test_few_samples_look_collapsed(generator):
    few, many = (torch.randn(n, 64, generator=generator) for n in (64, 6400))
    assert float(effective_rank(few)["centred"]) < 55
    assert float(effective_rank(many)["centred"]) > 63


def test_nan_features_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        effective_rank(torch.tensor([[1.0, float("nan")]] * 3))


def test_one_image_has_rank_one_and_none_has_no_rank(generator):
    x = torch.randn(1, 6, generator=generator)
    assert float(effective_rank(x)["uncentred"]) == pytest.approx(1, abs=1e-4)
    with pytest.raises(TooFew, match="of 0 images"):
        effective_rank(x[:0])
