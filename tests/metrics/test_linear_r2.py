"""Linear R² at its ends, against scikit-learn, and its known lies."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from torch import Tensor

from mae_bench.metrics import Split, standardise
from mae_bench.metrics.linear_r2 import ALPHAS, linear_r2, principal_axes, r2


def splits(encode, generator, sizes=(300, 150, 300), width=4):
    latents = [torch.randn(n, width, generator=generator) for n in sizes]
    return [Split(encode(z), {"level_0": z[:, :1], "level_1": z}) for z in latents]


def noisy(generator):
    mixing = torch.randn(4, 12, generator=generator)
    return lambda z: (
        torch.tanh(z @ mixing) + 0.3 * torch.randn(len(z), 12, generator=generator)
    )


def test_r2_agrees_with_scikit_learn(generator):
    target = torch.randn(40, 3, generator=generator).double()
    prediction = target + torch.randn(5, 40, 3, generator=generator)
    expected = [r2_score(target.numpy(), p.numpy()) for p in prediction]
    for unit in (1.0, 1e-3, 1e3):
        found = r2(unit * prediction, unit * target).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_latents_themselves_rotated_or_shifted_score_one(generator):
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=generator))[0]
    scores = linear_r2(*splits(lambda z: z @ rotation * 7 + 100, generator))
    assert scores == pytest.approx({"level_0": 1, "level_1": 1}, abs=1e-6)


def test_it_is_scikit_learns_ridge_with_alpha_chosen_on_val(generator):
    train, val, test = splits(noisy(generator), generator)
    x, x_val, x_test = standardise(train.features, val.features, test.features)
    for level, score in linear_r2(train, val, test).items():
        z, z_val, z_test = (s.target[level].numpy() for s in (train, val, test))
        fits = [Ridge(alpha=alpha * len(x)).fit(x, z) for alpha in ALPHAS]
        best = max(fits, key=lambda fit: r2_score(z_val, fit.predict(x_val)))
        assert score == pytest.approx(r2_score(z_test, best.predict(x_test)), abs=1e-6)


def test_wide_features_give_scikit_learns_ridge_too(generator):
    mixing = torch.randn(4, 80, generator=generator)
    given = splits(lambda z: torch.tanh(z @ mixing), generator, sizes=(50, 40, 60))
    x, x_val, x_test = standardise(*(s.features for s in given))
    z, z_val, z_test = (s.target["level_1"].numpy() for s in given)
    fits = [Ridge(alpha=alpha * len(x)).fit(x, z) for alpha in ALPHAS]
    best = max(fits, key=lambda fit: r2_score(z_val, fit.predict(x_val)))
    expected = r2_score(z_test, best.predict(x_test))
    assert linear_r2(*given)["level_1"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(30, 6), (6, 30)])
def test_principal_axes_diagonalise_the_covariance(n, d, generator):
    x = standardise(torch.randn(n, d, generator=generator))[0]
    variances, axes = principal_axes(x)
    torch.testing.assert_close(axes.T @ axes, torch.eye(len(variances)).double())
    torch.testing.assert_close(axes * variances @ axes.T, x.T @ x / n)
    assert len(variances) == min(n - 1, d)


def test_the_order_and_scale_of_features_do_not_matter(generator):
    given = splits(noisy(generator), generator)
    order = torch.randperm(12, generator=generator)
    scale = torch.linspace(0.01, 50, 12)
    changed = [Split(s.features[:, order] * scale, s.target) for s in given]
    assert linear_r2(*changed) == pytest.approx(linear_r2(*given), abs=1e-6)


def test_duplicated_features_add_nothing(generator):
    given = splits(noisy(generator), generator)
    doubled = [Split(s.features.repeat(1, 2), s.target) for s in given]
    assert linear_r2(*doubled) == pytest.approx(linear_r2(*given), abs=0.01)


def test_constant_features_score_about_zero(generator):
    scores = linear_r2(*splits(lambda z: torch.full((len(z), 3), 0.1), generator))
    assert scores == pytest.approx({"level_0": 0, "level_1": 0}, abs=0.02)


def test_a_constant_latent_counts_as_zero(generator):
    z = [torch.randn(50, 1, generator=generator) for _ in range(3)]
    given = [Split(t, {"": torch.cat([t, torch.ones(50, 1)], 1)}) for t in z]
    assert linear_r2(*given)[""] == pytest.approx(0.5, abs=1e-6)


def test_noise_scores_zero_held_out_where_in_sample_it_would_score_most(generator):
    def noise(z: Tensor) -> Tensor:
        return torch.randn(len(z), 150, generator=generator)

    train, val, test = splits(noise, generator, sizes=(200, 100, 2000))
    x, z = train.features.numpy(), train.target["level_1"].numpy()
    assert LinearRegression().fit(x, z).score(x, z) > 0.7
    assert abs(linear_r2(train, val, test)["level_1"]) < 0.05


def test_a_nonlinear_code_is_missed(generator):
    scores = linear_r2(*splits(torch.square, generator, sizes=(2000, 500, 2000)))
    assert abs(scores["level_1"]) < 0.05


def test_nan_features_are_refused(generator):
    with pytest.raises(ValueError, match="NaN"):
        linear_r2(*splits(lambda z: z / 0 * 0, generator))


@pytest.mark.parametrize(("signs", "most"), [((1, -1, 1), 0.6), ((1, 1, -1), -2)])
def test_the_penalty_is_chosen_on_val_where_test_would_have_another(
    signs, most, generator
):
    # The map that is right in train is wrong in val, which shrinks it away; or in test.
    drawn = torch.randn(3, 200, 1, generator=generator)
    given = [Split(z, {"": c * z}) for c, z in zip(signs, drawn, strict=True)]
    assert linear_r2(*given)[""] < most


def test_a_direction_that_float32_could_not_tell_is_left_out_of_wide_features():
    x = torch.zeros(3, 5).double()
    x[:, 0] = torch.tensor([1.0, -2.0, 1.0])
    x[:, 3] = 1e-7 * torch.tensor([1.0, 0.0, -1.0])
    variances, axes = principal_axes(x)
    assert variances.tolist() == pytest.approx([2.0])
    assert axes.abs().flatten().tolist() == pytest.approx([1.0, 0, 0, 0, 0], abs=1e-6)
    assert len(principal_axes(x * torch.tensor([1, 1, 1, 1e3, 1]))[0]) == 2


@pytest.mark.parametrize("scale", [1e-7, 1e7])
def test_wide_features_keep_their_directions_at_any_scale(scale, generator):
    x = torch.randn(5, 20, generator=generator).double()
    x = x - x.mean(0)
    assert len(principal_axes(scale * x)[0]) == len(principal_axes(x)[0]) == 4
