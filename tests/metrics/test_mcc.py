"""The mean correlation coefficient at its ends, by brute force, and its lies."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import Tensor

from mae_bench.metrics import Split
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.mcc import correlation, mcc


def splits(encode, generator, sizes=(400, 20, 400), width=3):
    latents = [torch.randn(n, width, generator=generator) for n in sizes]
    return [Split(encode(z), {"level_0": z}) for z in latents]


def test_correlations_agree_with_numpy(generator):
    a, b = (torch.randn(30, k, generator=generator) for k in (3, 2))
    expected = np.abs(np.corrcoef(a.T.double(), b.T.double())[:3, 3:])
    np.testing.assert_allclose(correlation(a, b).numpy(), expected, rtol=1e-6)


def test_order_sign_scale_and_offset_of_the_latents_do_not_matter(generator):
    def encode(z: Tensor) -> Tensor:
        return z[:, [2, 0, 1]] * torch.tensor([-3.0, 0.1, 50.0]) + 8

    assert mcc(*splits(encode, generator))["level_0"] == pytest.approx(1, abs=1e-6)


def test_extra_features_do_no_harm(generator):
    def encode(z: Tensor) -> Tensor:
        return torch.cat([torch.randn(len(z), 5, generator=generator), z], 1)

    assert mcc(*splits(encode, generator))["level_0"] == pytest.approx(1, abs=1e-6)


def test_the_matching_is_the_best_of_all_permutations(generator):
    mixing = torch.randn(3, 3, generator=generator)
    train, val, test = splits(lambda z: z @ mixing, generator)
    on_train = correlation(train.features, train.target["level_0"])
    on_test = correlation(test.features, test.target["level_0"])
    best = max(
        permutations(range(3)),
        key=lambda order: float(on_train[list(order), range(3)].sum()),
    )
    expected = float(on_test[list(best), range(3)].mean())
    assert mcc(train, val, test)["level_0"] == pytest.approx(expected)


def test_rotated_latents_score_below_one_though_linear_r2_is_one(generator):
    c = 0.5**0.5
    rotation = torch.tensor([[c, c, 0], [-c, c, 0], [0, 0, 1]])
    given = splits(lambda z: z @ rotation, generator, sizes=(4000, 50, 4000))
    assert mcc(*given)["level_0"] == pytest.approx((2 * c + 1) / 3, abs=0.02)
    assert linear_r2(*given)["level_0"] == pytest.approx(1, abs=1e-5)


def test_fewer_features_than_latents_leave_zeros(generator):
    given = splits(lambda z: z[:, :2], generator)
    assert mcc(*given)["level_0"] == pytest.approx(2 / 3, abs=1e-6)


def test_constant_features_score_zero(generator):
    given = splits(lambda z: torch.full((len(z), 4), 0.1), generator)
    assert mcc(*given) == {"level_0": 0}


def test_independent_features_score_about_the_mean_size_of_a_chance_correlation(
    generator,
):
    def noise(z: Tensor) -> Tensor:
        return torch.randn(len(z), 40, generator=generator)

    given = splits(noise, generator, sizes=(100, 20, 100), width=40)
    # In sample the Hungarian algorithm would find about 0.2.
    assert mcc(*given)["level_0"] == pytest.approx(0.8 / 10, abs=0.03)


def test_nan_features_are_refused(generator):
    with pytest.raises(ValueError, match="NaN"):
        mcc(*splits(lambda z: z / 0 * 0, generator))
