"""Block R² at its ends, against scikit-learn, and its known lies."""

import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score
from torch import Tensor

from mae_bench.metrics import Split, standardise
from mae_bench.metrics.block_r2 import ALPHAS, GAMMAS, MAX_ROWS, block_r2, rbf
from mae_bench.metrics.linear_r2 import linear_r2


def splits(encode, generator, sizes=(200, 100, 200), width=2):
    latents = [torch.randn(n, width, generator=generator) for n in sizes]
    return [Split(encode(z), {"level_0": z[:, :1], "level_1": z}) for z in latents]


def test_the_grid_is_the_papers():
    expected = torch.logspace(-2, 2, 4, dtype=torch.float64)
    torch.testing.assert_close(torch.tensor(GAMMAS, dtype=torch.float64), expected)


def test_the_kernel_agrees_with_a_loop(generator):
    a, b = (torch.randn(n, 3, generator=generator).double() for n in (4, 5))
    for i, j in ((0, 0), (3, 4), (2, 1)):
        expected = torch.exp(-0.7 * (a[i] - b[j]).square().sum() / 3)
        torch.testing.assert_close(rbf(a, b, 0.7)[i, j], expected)


def test_it_is_scikit_learns_kernel_ridge_chosen_on_val(generator):
    def encode(z: Tensor) -> Tensor:
        noise = torch.randn(len(z), 3, generator=generator)
        return torch.cat([z.pow(3), z.prod(1, keepdim=True)], 1) + 0.2 * noise

    train, val, test = splits(encode, generator)
    x, x_val, x_test = (
        t.numpy() for t in standardise(*(s.features for s in (train, val, test)))
    )
    for level, score in block_r2(train, val, test).items():
        z, z_val, z_test = (
            t.numpy()
            for t in standardise(*(s.target[level] for s in (train, val, test)))
        )
        fits = [
            KernelRidge(kernel="rbf", alpha=alpha, gamma=gamma / 3).fit(x, z)
            for gamma in GAMMAS
            for alpha in ALPHAS
        ]
        best = max(fits, key=lambda fit: r2_score(z_val, fit.predict(x_val)))
        assert score == pytest.approx(r2_score(z_test, best.predict(x_test)), abs=1e-6)


def test_a_smooth_invertible_code_is_found_where_a_linear_map_fails(generator):
    def encode(z: Tensor) -> Tensor:
        angle = 3 * torch.tanh(z)
        return torch.cat([angle.sin(), angle.cos()], 1)

    given = splits(encode, generator, sizes=(600, 200, 400))
    assert block_r2(*given)["level_1"] > 0.9
    assert linear_r2(*given)["level_1"] < 0.5


def test_rotated_features_score_the_same_when_they_have_unit_covariance(generator):
    rotation = torch.linalg.qr(torch.randn(2, 2, generator=generator))[0]
    plain = splits(lambda z: z, generator)
    turned = [Split(s.features @ rotation, s.target) for s in plain]
    assert block_r2(*turned) == pytest.approx(block_r2(*plain), abs=0.01)
    assert block_r2(*plain)["level_1"] > 0.98


def test_duplicated_features_change_nothing(generator):
    given = splits(torch.tanh, generator)
    doubled = [Split(s.features.repeat(1, 2), s.target) for s in given]
    assert block_r2(*doubled) == pytest.approx(block_r2(*given), abs=1e-6)


def test_only_the_first_thousand_training_images_are_used(generator):
    train, val, test = splits(torch.tanh, generator, sizes=(MAX_ROWS + 50, 50, 50))
    features = train.features.clone()
    features[MAX_ROWS:] = 1e3
    changed = Split(features, train.target)
    assert block_r2(changed, val, test) == block_r2(train, val, test)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_features_score_about_zero(value, generator):
    scores = block_r2(*splits(lambda z: torch.full((len(z), 3), value), generator))
    assert scores == pytest.approx({"level_0": 0, "level_1": 0}, abs=0.05)


def test_independent_features_score_at_most_zero(generator):
    def noise(z: Tensor) -> Tensor:
        return torch.randn(len(z), 4, generator=generator)

    assert block_r2(*splits(noise, generator))["level_1"] < 0.05


def test_few_images_and_wide_features_hide_what_is_there(generator):
    mixing = torch.linalg.qr(torch.randn(32, 32, generator=generator))[0]

    def encode(z: Tensor) -> Tensor:
        rest = torch.randn(len(z), 30, generator=generator)
        return torch.cat([z.abs().sqrt() * z.sign(), rest], 1) @ mixing

    few = splits(encode, generator, sizes=(30, 200, 400))
    many = splits(encode, generator, sizes=(800, 200, 400))
    assert block_r2(*few)["level_1"] + 0.15 < block_r2(*many)["level_1"]


def test_nan_features_are_refused(generator):
    with pytest.raises(ValueError, match="NaN"):
        block_r2(*splits(lambda z: z / 0 * 0, generator))


@pytest.mark.parametrize(("signs", "most"), [((1, -1, 1), 0.9), ((1, 1, -1), -2)])
def test_the_penalty_is_chosen_on_val_where_test_would_have_another(
    signs, most, generator
):
    # The map that is right in train is wrong in val, which shrinks it away; or in test.
    drawn = torch.randn(3, 200, 1, generator=generator)
    given = [Split(z, {"": c * z}) for c, z in zip(signs, drawn, strict=True)]
    assert block_r2(*given)[""] < most
