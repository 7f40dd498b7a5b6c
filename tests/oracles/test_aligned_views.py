"""Closed forms are no worse than what descent finds; thresholds are where they turn."""

from itertools import product

import pytest
import torch

from mae_bench.oracles.aligned_views import (
    alignment_threshold,
    kept_signal,
    kept_subspace,
)
from mae_bench.oracles.principal_angle import principal_angle

BOTH = pytest.mark.parametrize("objective", ["reconstruction", "joint_embedding"])


def covariances(seed=0, d=6):
    """Two that have no axes in common."""
    noise = torch.Generator().manual_seed(seed)
    C, S = torch.randn(2, d, 2 * d, generator=noise, dtype=torch.float64)
    return C @ C.T / d, S @ S.T / (2 * d)


def expected_loss(A, C, S, objective):
    """Of the best decoder, where there is one."""
    inside = A.T @ (C + S) @ A
    if objective == "reconstruction":
        return C.trace() - (C @ A @ torch.linalg.solve(inside, A.T @ C)).trace()
    return -2 * (A.T @ C @ A).trace() + inside.square().sum()


@BOTH
def test_descent_finds_the_subspace_of_the_closed_form(objective):
    C, S = covariances()
    noise = torch.Generator().manual_seed(1)
    A = torch.randn(6, 2, generator=noise, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.LBFGS([A], max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = expected_loss(A, C, S, objective)
        loss.backward()
        return loss

    optimizer.step(closure)
    best = kept_subspace(C, S, 2, objective)
    assert principal_angle(A.detach(), best)[0] < 1e-3
    other = next(o for o in ("reconstruction", "joint_embedding") if o != objective)
    assert principal_angle(kept_subspace(C, S, 2, other), best)[0] > 0.05


@BOTH
@pytest.mark.parametrize(
    ("nuisance", "isotropic"), [(10.0, 0.0), (0.5, 0.0), (4.0, 1.0), (0.5, 2.0)]
)
def test_the_signal_is_kept_above_the_threshold_and_not_below(
    objective, nuisance, isotropic
):
    at = alignment_threshold(objective, nuisance, isotropic)
    signal = torch.arange(8) < 2
    C = torch.where(signal, 1.0, nuisance).double().diag()
    for beyond in (-0.05, 0.05):
        alignment = at + beyond
        if alignment < 0:
            continue
        S = (torch.where(signal, 0.0, alignment * nuisance) + isotropic).double()
        found = kept_subspace(C, S.diag(), 2, objective)
        kept = found[:2].square().sum() / found.square().sum()
        assert kept.item() == pytest.approx(float(beyond > 0), abs=1e-9)
        assert kept_signal(objective, nuisance, alignment, isotropic) == (beyond > 0)


def test_joint_embedding_needs_less_where_the_nuisance_is_the_larger():
    for g, b in product((0.2, 0.9, 1.1, 5.0), (0.0, 0.3, 2.0)):
        needs = [
            alignment_threshold(o, g, b) for o in ("joint_embedding", "reconstruction")
        ]
        assert (needs[0] < needs[1]) == (g > 1)


def test_without_noise_joint_embedding_keeps_an_arbitrary_space():
    assert kept_signal("joint_embedding", 4.0, 0.0) == 0.25
    assert kept_signal("reconstruction", 0.5, 0.0) == 1.0


def test_what_is_no_rank_or_covariance_is_refused():
    C, S = covariances()
    with pytest.raises(ValueError, match=r"rank is 7; give an integer in 1\.\.6"):
        kept_subspace(C, S, 7, "reconstruction")
    with pytest.raises(ValueError, match="covariance"):
        kept_subspace(C + torch.ones(6, 6).triu(), S, 2, "reconstruction")
