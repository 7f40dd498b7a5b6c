"""Alignment at its ends, against loops over pairs, and its known lie."""

import math

import pytest
import torch

from mae_bench.metrics.alignment import alignment


def values(first: torch.Tensor, second: torch.Tensor) -> dict[str, float]:
    return {name: float(value) for name, value in alignment(first, second).items()}


def test_it_agrees_with_loops_over_pairs(generator):
    first = torch.randn(12, 5, generator=generator) + 0.5
    second = first + torch.randn(12, 5, generator=generator)
    a, b = (torch.nn.functional.normalize(h.double(), dim=1) for h in (first, second))
    same = [float(a[i] @ b[i]) for i in range(12)]
    other = [float(a[i] @ b[j]) for i in range(12) for j in range(12) if i != j]
    distance = sum(float((a[i] - b[i]).norm()) ** 2 for i in range(12)) / 12
    expected = {"distance": distance, "cosine_gap": sum(same) / 12 - sum(other) / 132}
    assert values(first, second) == pytest.approx(expected)


def test_equal_views_of_orthogonal_images_are_perfect():
    assert values(torch.eye(6), 3 * torch.eye(6)) == {"distance": 0, "cosine_gap": 1}


def test_opposite_views_are_worst():
    x = torch.eye(6)
    assert values(x, -x) == pytest.approx({"distance": 4, "cosine_gap": -1})


def test_collapse_has_the_best_distance_but_no_gap():
    constant = torch.full((50, 8), 0.1)
    expected = {"distance": 0, "cosine_gap": 0}
    assert values(constant, constant) == pytest.approx(expected, abs=1e-9)


def test_unrelated_views_have_distance_two_and_no_gap(generator):
    first, second = torch.randn(2, 3000, 16, generator=generator)
    expected = {"distance": 2, "cosine_gap": 0}
    assert values(first, second) == pytest.approx(expected, abs=0.05)


def test_views_that_are_shuffled_against_each_other_lose_the_gap(generator):
    x = torch.randn(500, 16, generator=generator)
    order = torch.randperm(500, generator=generator)
    assert values(x, x)["cosine_gap"] == pytest.approx(1, abs=0.01)
    assert values(x, x[order])["cosine_gap"] == pytest.approx(0, abs=0.02)


def test_rotation_scale_and_order_do_not_matter(generator):
    first, second = torch.randn(2, 40, 8, generator=generator)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
    moved = values(5 * first.flip(0) @ rotation, second.flip(0) @ rotation)
    assert moved == pytest.approx(values(first, second), abs=1e-6)


def test_one_image_and_nan_features_are_refused():
    with pytest.raises(ValueError, match="alignment of 1 images"):
        alignment(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(ValueError, match="NaN"):
        alignment(torch.ones(3, 3), torch.full((3, 3), math.nan))
