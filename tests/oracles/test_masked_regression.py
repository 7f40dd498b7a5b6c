"""The limit is met by simulation, by its white case, and turns where it should."""

import numpy as np
import pytest

from mae_bench.oracles.masked_regression import excess_risk

RATIOS = np.linspace(0, 0.9, 91)


def simulated(p, d, n, spike, noise, fits=40):
    """Mean risk of numpy's least-norm solution, and its standard error."""
    rng = np.random.default_rng(0)
    risks = []
    for _ in range(fits):
        u = rng.standard_normal(d)
        u /= np.linalg.norm(u)
        strength = np.sqrt(spike) * rng.standard_normal((n, 1))
        x = rng.standard_normal((n, d)) + strength * u
        beta = u / np.sqrt(1 + spike)
        y = x @ beta + noise * rng.standard_normal(n)
        kept = rng.random((n, d)) >= p
        error = np.linalg.pinv(x * kept) @ y - beta
        risks.append(error @ error + spike * (u @ error) ** 2)
    return np.mean(risks), np.std(risks) / np.sqrt(fits)


@pytest.mark.parametrize("spike", [0.0, 20.0])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("d", "n"), [(40, 120), (240, 60)])
def test_simulations_meet_the_limit(d, n, p, spike):
    mean, error = simulated(p, d, n, spike, 0.5)
    limit = excess_risk(p, d, n, spike=spike, noise=0.5)
    assert abs(mean - limit) < 4 * error + 0.05 * limit


@pytest.mark.parametrize("d", [50, 300])
def test_without_a_spike_it_is_the_sum_of_two_plain_terms(d):
    gamma, noise = d / 100, 0.7
    for p in (0.0, 0.4, 0.8):
        scatter = 1 / (gamma - 1) if gamma > 1 else gamma / (1 - gamma)
        plain = max(0, 1 - 1 / gamma) + (noise**2 + p) / (1 - p) * scatter
        assert excess_risk(p, d, 100, spike=0.0, noise=noise) == pytest.approx(plain)


def best(d, spike, noise=0.5):
    risks = [excess_risk(p, d, 100, spike=spike, noise=noise) for p in RATIOS]
    return RATIOS[int(np.argmin(risks))]


@pytest.mark.parametrize(
    ("d", "spike"), [(35, 0.0), (399, 0.0), (1023, 0.0), (35, 20.0), (90, 20.0)]
)
def test_white_covariates_or_few_want_no_mask_and_every_step_costs(d, spike):
    risks = [excess_risk(p, d, 100, spike=spike, noise=0.5) for p in RATIOS]
    assert (np.diff(risks) > 0).all()


def test_with_a_spike_the_best_ratio_grows_with_the_model():
    ratios = [best(d, 20.0) for d in (90, 399, 700, 1023)]
    assert ratios == sorted(set(ratios))
    assert ratios[0] == 0
    # Without noise and with much redundancy, what least norm takes masks give back.
    assert best(200_000, 10_000.0, 1e-3) == pytest.approx(1999 / 10_000, abs=0.02)


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_a_ratio_out_of_range_is_refused(p):
    with pytest.raises(ValueError, match=f"mask_ratio is {p}"):
        excess_risk(p, 50, 100, spike=0.0, noise=1.0)


def test_at_interpolation_there_is_no_risk():
    with pytest.raises(ValueError, match="infinite with 100 samples"):
        excess_risk(0.1, 100, 100, spike=0.0, noise=1.0)
