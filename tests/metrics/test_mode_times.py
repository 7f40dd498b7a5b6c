"""The flow's own trajectory is not off at all; what has not learned is skipped."""

import pytest
import torch
from scipy.integrate import solve_ivp

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.linear_pair import LinearPair
from mae_bench.methods.deep_linear import DeepLinear
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.mode_times import half_steps, mode_times, settled

EPS = 0.05


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def read(method, world):
    return mode_times(method, world, world.sample(2, rng()), rng())


def on_the_flow(world, objective, depth, steps=3000, lr=0.1):
    """A method whose amplitudes are solutions of the mode equations."""
    settings = {"objective": objective, "depth": depth, "init_scale": EPS}
    method = DeepLinear(world, rng(), **settings, steps=steps, lr=lr, images=10)
    k = depth + 1 if objective == "mae" else 1
    lamb, rho = world.lamb.numpy(), world.rho.numpy()

    def slope(_, w):
        return depth * lamb * w ** (3 - k / depth) * (1 - w ** (k / depth) / rho)

    time = lr * torch.arange(steps).double().numpy()
    path = solve_ivp(
        slope, (0, time[-1]), [EPS] * 8, t_eval=time, rtol=1e-8, atol=1e-10
    )
    method.amplitudes.copy_(torch.from_numpy(path.y.T))
    return method


@pytest.mark.parametrize("objective", ["mae", "jepa"])
def test_the_flows_own_trajectory_agrees_with_its_closed_answers(objective):
    world = LinearPair(rng())
    found = read(on_the_flow(world, objective, 2), world)
    assert found["time_gap"] < 0.01
    for name in ("rho_bias", "lambda_speed", "exponent"):
        assert found[name] == pytest.approx(found[f"{name}_exact"], rel=0.01)
    assert found["lambda_speed_exact"] == pytest.approx(2)
    assert found["exponent_exact"] == (2 / 3 if objective == "mae" else 2)
    assert (found["rho_bias"] > 1.1) == (objective == "jepa")


def test_one_mode_that_is_late_shows_in_its_pairs():
    world = LinearPair(rng())
    method = on_the_flow(world, "jepa", 1)
    plain = read(method, world)
    # Mode 6, of the least ρ and the small λ, is kept back for 200 steps.
    late = method.amplitudes[:, 6].clone()
    method.amplitudes[200:, 6] = late[:-200]
    method.amplitudes[:200, 6] = late[0]
    found = read(method, world)
    assert found["rho_bias"] > 1.1 * plain["rho_bias"]
    assert found["lambda_speed"] > 1.05 * plain["lambda_speed"]
    assert found["time_gap"] > 0.2
    assert found["exponent"] == pytest.approx(plain["exponent"], rel=0.02)


def test_a_half_is_found_between_the_steps():
    ramp = torch.tensor([[0.0, 0.0], [1.0, 0.4], [2.0, 0.8], [2.0, 2.0]]).double()
    assert half_steps(ramp, torch.tensor([1.0, 2.0]).double()).tolist() == (
        pytest.approx([0.5, 2 + 0.2 / 1.2])
    )


def test_a_mode_that_has_not_learned_is_no_measurement():
    time = torch.arange(100).double()[:, None]
    still = torch.ones(100, 2).double()
    with pytest.raises(Skip, match="has not left its start"):
        settled(still)
    with pytest.raises(Skip, match="still moves"):
        settled(still + 0.2 * time)
    done = 3 - 2 * torch.exp(-time / 3)
    assert settled(done).item() == pytest.approx(3)


def test_other_methods_and_worlds_are_skipped():
    pair, digits = LinearPair(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels is no deep linear network"):
        read(Pixels(pair, rng()), pair)
    with pytest.raises(Skip, match="modes of Digits are not known"):
        read(DeepLinear(digits, rng(), images=10), digits)
