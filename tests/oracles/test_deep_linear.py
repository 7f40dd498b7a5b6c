"""Times and plateaus are those of gradient flow, layer by layer."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mae_bench.oracles.deep_linear import half_time, plateau_exponent

BOTH = pytest.mark.parametrize("objective", ["mae", "jepa"])


def flow(lamb, rho, depth, objective, init_scale, time):
    """Gradient flow of every layer, and of the decoder, of ½ E (v w̄ x - target)²."""
    start = np.full(depth + 1, init_scale ** (1 / depth))

    def slope(_, weights):
        v, layers = weights[-1], weights[:-1]
        w = layers.prod()
        with_target = lamb if objective == "mae" else lamb * w  # E x target
        residual = with_target - v * w * lamb / rho  # E x (target - v w̄ x)
        return np.append(v * w / layers * residual, w * residual)

    return solve_ivp(slope, (0, time), start, rtol=1e-9, atol=1e-12, dense_output=True)


@BOTH
@pytest.mark.parametrize(("depth", "rho"), list(product([1, 2, 3], [0.5, 0.95])))
def test_a_mode_is_half_way_at_the_half_time(objective, depth, rho):
    lamb, start = 0.7, 0.02
    time = half_time(lamb, rho, depth, objective, start)
    path = flow(lamb, rho, depth, objective, start, time)
    half = rho ** plateau_exponent(depth, objective) / 2
    assert path.y[:-1, -1].prod() == pytest.approx(half, rel=1e-5)


@BOTH
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_mode_rests_at_its_plateau_with_balanced_layers(objective, depth):
    path = flow(1.0, 0.6, depth, objective, 0.02, 2000.0)
    final = path.y[:, -1]
    plateau = 0.6 ** plateau_exponent(depth, objective)
    assert final[:-1].prod() == pytest.approx(plateau, rel=1e-5)
    assert final == pytest.approx([final[0]] * len(final), rel=1e-6)


@BOTH
def test_time_goes_with_the_inverse_of_the_covariance(objective):
    once, twice = (half_time(lamb, 0.5, 3, objective, 0.02) for lamb in (1.0, 2.0))
    assert once == pytest.approx(2 * twice)


@pytest.mark.parametrize(
    ("objective", "depth", "rho", "time"),
    [
        ("mae", 4, 1.0, 2666.52),
        ("mae", 4, 0.5, 2666.44),
        ("jepa", 2, 1.0, 2887.14),
        ("jepa", 2, 0.5, 3144.44),
        ("jepa", 1, 1.0, 20 - 2 + np.log(19)),
        ("jepa", 1, 0.5, 20 - 4 + 2 * np.log(9)),
    ],
)
def test_known_times_from_singular_values_of_a_twentieth(objective, depth, rho, time):
    found = half_time(1.0, rho, depth, objective, 0.05**depth)
    assert found == pytest.approx(time, rel=1e-5)


def test_small_starts_give_the_papers_leading_orders():
    rho, eps = 0.5, 1e-12
    mae = half_time(1.0, rho, 3, "mae", eps)
    assert mae == pytest.approx(eps ** (-2 / 3) / 2, rel=1e-6)
    # JEPA: sum over n = 1..2L-1 of 1 / (n ρ^{2L-1-n} ε^{n/L}), to a logarithm.
    eps = 1e-9
    series = sum(1 / (n * rho ** (5 - n) * eps ** (n / 3)) for n in range(1, 6))
    assert half_time(1.0, rho, 3, "jepa", eps) == pytest.approx(series, rel=1e-8)


def test_the_delay_of_jepa_grows_with_depth_and_mae_has_none():
    def bias(depth, objective, eps):
        times = (half_time(1.0, rho, depth, objective, eps) for rho in (0.5, 0.95))
        low, high = times
        return low / high

    jepa = [bias(depth, "jepa", 0.02) for depth in (1, 2, 3)]
    assert jepa == pytest.approx([1.008, 1.216, 1.493], abs=1e-3)
    assert [bias(d, "mae", 1e-4) for d in (2, 3)] == pytest.approx([1, 1], abs=3e-3)


def test_a_start_beyond_half_the_plateau_is_refused():
    with pytest.raises(ValueError, match=r"init_scale is 0.1; choose in \(0, 0.0625\)"):
        half_time(1.0, 0.5, 3, "jepa", 0.1)
