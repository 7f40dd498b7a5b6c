import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from mae_bench.models.optimiser import BETAS, adamw, gradient_flow, warmup_cosine


def test_the_rate_rises_in_equal_steps_to_the_peak_and_falls_to_nothing() -> None:
    shares = [warmup_cosine(step, 100, 0.1) for step in range(101)]
    assert shares[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert shares[10] == 1
    assert shares[55] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0)
    assert all(a > b for a, b in pairwise(shares[10:]))
    cosine = [0.5 * (1 + math.cos(math.pi * k / 90)) for k in range(91)]
    assert shares[10:] == pytest.approx(cosine)


@pytest.mark.parametrize("steps", [1, 2, 3, 12])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
def test_the_rate_is_a_share_however_short_the_run(steps: int, warmup: float) -> None:
    shares = [warmup_cosine(step, steps, warmup) for step in range(steps + 1)]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) == 1
    assert shares[0] > 0


@pytest.mark.parametrize("steps", [1, 12, 100])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
def test_after_the_last_step_the_rate_stays(steps: int, warmup: float) -> None:
    end = warmup_cosine(steps, steps, warmup)
    assert end == (0 if round(warmup * steps) < steps and steps > 1 else 1)
    for step in (steps + 1, round(1.5 * steps), 2 * steps, 10 * steps):
        assert warmup_cosine(step, steps, warmup) == end


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_is_one_kernel_or_several(fused: bool) -> None:
    weight = nn.Parameter(torch.ones(2, 2))
    assert adamw([weight], 0.1, 0.1, fused=fused).defaults["fused"] is fused


def test_matrices_decay_vectors_do_not_and_frozen_parts_stay() -> None:
    matrix, vector = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
    optimizer = adamw([matrix, vector, frozen], lr=0.1, weight_decay=0.5)
    matrix.grad, vector.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    assert torch.allclose(matrix, torch.full((2, 2), 1 - 0.1 * 0.5))
    assert torch.equal(vector, torch.ones(2))
    assert torch.equal(frozen, torch.ones(2, 2))


def test_its_steps_are_those_of_the_paper_in_loops() -> None:
    start = [0.3, -1.2]
    weight = nn.Parameter(torch.tensor([start]))
    optimizer = adamw([weight], lr=0.05, weight_decay=0.1)
    slow, m, v = list(start), [0.0, 0.0], [0.0, 0.0]
    for t in range(1, 6):
        gradient = [math.sin(t) + w for w in slow]
        weight.grad = torch.tensor([[math.sin(t) + w for w in weight[0].tolist()]])
        optimizer.step()
        for k, g in enumerate(gradient):
            m[k] = BETAS[0] * m[k] + (1 - BETAS[0]) * g
            v[k] = BETAS[1] * v[k] + (1 - BETAS[1]) * g * g
            mean, var = m[k] / (1 - BETAS[0] ** t), v[k] / (1 - BETAS[1] ** t)
            slow[k] -= 0.05 * (mean / (math.sqrt(var) + 1e-8) + 0.1 * slow[k])
        assert weight[0].tolist() == pytest.approx(slow, abs=1e-5)


def test_the_flow_goes_down_the_gradient_at_a_constant_rate() -> None:
    w = nn.Parameter(torch.tensor([1.0, -2.0]))
    (optimizer,), (schedule,) = gradient_flow([w], 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (w.square().sum() / 2).backward()
        optimizer.step()
        schedule["scheduler"].step()
    expected = torch.tensor([1.0, -2.0]) * 0.9**3
    torch.testing.assert_close(w.detach(), expected)
