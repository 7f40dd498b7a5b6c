import math

import pytest
import torch
from torch import Tensor

from mae_bench.metrics import Skip
from mae_bench.metrics.convergence import BOUND, LEFT, convergence, noise
from mae_bench.models.optimiser import warmup_cosine

POINTS, STEPS = 32, 3200


def points_of(losses: Tensor) -> Tensor:
    """A curve as a training keeps it, from the losses of its steps."""
    return torch.stack([part.mean() for part in losses.tensor_split(POINTS)])


def decay(times: float, limit: float = 0.5) -> Tensor:
    """Losses that fall from limit + 1, by e in each ``1 / times`` of the budget."""
    at = torch.linspace(0, 1, STEPS, dtype=torch.float64)
    return limit + torch.exp(-times * at)


def noisy(losses: Tensor, std: float, seed: int) -> Tensor:
    """The same with independent noise on every step."""
    stream = torch.Generator().manual_seed(seed)
    return losses + std * torch.randn(STEPS, generator=stream, dtype=torch.float64)


def share_converged(losses: Tensor, std: float) -> float:
    curves = [points_of(noisy(losses, std, seed)) for seed in range(200)]
    return sum(convergence(curve)["converged"] for curve in curves) / len(curves)


def test_an_exponential_that_leaves_less_than_the_share_has_converged() -> None:
    # Of the way to the limit exp(-times) is left: 0.05 at times 3.
    for times, converged in ((0.5, 0), (1, 0), (2, 0), (2.7, 0), (3.3, 1), (8, 1)):
        assert (math.exp(-times) < LEFT) == converged
        found = convergence(points_of(decay(times)))
        assert found["converged"] == converged, times
        x = math.exp(-times / 2)
        assert found["progress"] == pytest.approx(x / (1 + x), abs=0.05)


def test_the_bound_is_what_an_exponential_makes_that_leaves_the_share() -> None:
    x = math.sqrt(LEFT)
    whole, second_half = 1 - x**2, x - x**2
    assert pytest.approx(second_half / whole) == BOUND


def test_the_answer_depends_on_neither_the_unit_nor_the_limit_nor_the_sign() -> None:
    for times in (2.0, 4.0):
        curve = points_of(decay(times))
        expected = convergence(curve)
        for other in (3 * curve, curve - 7):
            found = convergence(other)
            assert found["progress"] == pytest.approx(expected["progress"])
            assert found["converged"] == expected["converged"]
    rising = convergence(-points_of(decay(4.0)))
    assert (rising["progress"] < 0, rising["converged"]) == (True, 1.0)


def test_noise_is_not_taken_for_rest_nor_for_unrest_where_the_case_is_clear() -> None:
    assert share_converged(decay(5.0), std=0.2) > 0.95
    assert share_converged(decay(2.0), std=0.2) < 0.01


def test_noise_that_could_hide_unrest_is_unrest() -> None:
    # Just beyond the bound: the point estimate alone would be right half the time.
    assert share_converged(decay(2.9), std=0.5) < 0.1
    assert share_converged(decay(8.0), std=5.0) < 0.05


def test_a_loss_that_never_left_its_start_has_not_converged() -> None:
    assert share_converged(torch.ones(STEPS, dtype=torch.float64), std=0.5) < 0.02
    still = convergence(torch.ones(POINTS))
    assert still == {"final": 1.0, "half": 1.0, "converged": 0.0}


def test_a_plateau_that_ends_in_the_second_half_is_unrest() -> None:
    at = torch.linspace(0, 1, STEPS, dtype=torch.float64)
    for end in (0.6, 0.75, 0.9):
        losses = 1.5 - 0.3 * at.clamp(max=0.1) / 0.1 - 0.5 * (at > end)
        assert convergence(points_of(losses))["converged"] == 0.0
    assert convergence(points_of(1.5 - (at > 0.3).double()))["converged"] == 1.0


def test_annealing_alone_is_rest_while_it_makes_less_than_the_bound() -> None:
    rate = torch.tensor([warmup_cosine(s, STEPS, 0.5) for s in range(STEPS)])
    for height, converged in ((0.1, 1.0), (0.3, 0.0)):
        losses = decay(20.0) + height * rate
        assert convergence(points_of(losses))["converged"] == converged


def test_the_noise_is_found_under_a_trend() -> None:
    trend = torch.linspace(3, 1, STEPS, dtype=torch.float64)
    assert noise(trend) == pytest.approx(0, abs=1e-12)
    assert noise(noisy(trend, 0.25, 0)) == pytest.approx(0.25, rel=0.05)


def test_the_windows_are_the_last_eighth_and_the_one_around_half() -> None:
    found = convergence(torch.arange(POINTS, dtype=torch.float64))
    assert found["half"] == POINTS / 2 - 0.5
    assert found["final"] == POINTS - 2.5


def test_a_short_curve_is_read_and_a_shorter_one_skipped() -> None:
    assert convergence(torch.arange(8.0))["half"] == 4.0
    with pytest.raises(Skip, match="at least 8 steps"):
        convergence(torch.arange(7.0))
