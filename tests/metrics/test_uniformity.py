"""Uniformity at its ends, against a loop over pairs, and its known lie."""

import math

import pytest
import torch

from mae_bench.metrics.uniformity import CHUNK, uniformity


def by_pairs(x: torch.Tensor) -> float:
    z = torch.nn.functional.normalize(x.double(), dim=1)
    return float(torch.pdist(z).square().mul(-2).exp().mean().log())


@pytest.mark.parametrize("n", [2, 37, CHUNK, 2 * CHUNK + 13])
def test_it_is_the_mean_over_pairs(n, generator):
    x = torch.randn(n, 5, generator=generator) + 0.3
    assert float(uniformity(x)[""]) == pytest.approx(by_pairs(x), abs=1e-5)


def test_one_direction_scores_zero_whatever_its_lengths(generator):
    lengths = torch.rand(50, 1, generator=generator) + 0.1
    x = lengths * torch.tensor([[3.0, -4.0]])
    assert float(uniformity(x)[""]) == pytest.approx(0, abs=1e-5)
    assert float(uniformity(torch.zeros(20, 3))[""]) < 0


def test_orthogonal_features_score_minus_four_and_opposite_ones_minus_eight():
    assert float(uniformity(torch.eye(6))[""]) == pytest.approx(-4)
    opposite = torch.tensor([[2.0, 0.0], [-1.0, 0.0]])
    assert float(uniformity(opposite)[""]) == pytest.approx(-8, abs=1e-5)


def test_many_independent_dimensions_come_near_minus_four(generator):
    x = torch.randn(500, 1000, generator=generator)
    assert float(uniformity(x)[""]) == pytest.approx(-4, abs=0.02)


def test_rotation_scale_and_order_do_not_matter(generator):
    x = torch.randn(100, 8, generator=generator)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
    moved = uniformity(9 * x.flip(0) @ rotation)[""]
    assert float(moved) == pytest.approx(float(uniformity(x)[""]), abs=1e-5)


def test_pairs_of_an_image_with_itself_would_raise_it_to_a_floor():
    x = torch.cat([torch.eye(4), -torch.eye(4)])
    cosine = x @ x.T
    with_diagonal = float((4 * cosine - 4).exp().mean().log())
    assert with_diagonal > -math.log(8)
    assert float(uniformity(x)[""]) < -4


def test_duplicated_images_look_less_uniform(generator):
    x = torch.randn(20, 64, generator=generator)
    assert float(uniformity(x.repeat(2, 1))[""]) > float(uniformity(x)[""]) + 0.5


def test_one_image_and_nan_features_are_refused():
    with pytest.raises(ValueError, match="uniformity of 1 images"):
        uniformity(torch.ones(1, 3))
    with pytest.raises(ValueError, match="NaN"):
        uniformity(torch.full((3, 3), math.nan))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_number_that_is_none_is_refused(bad, generator):
    x = torch.randn(6, 3, generator=generator)
    x[4, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        uniformity(x)
