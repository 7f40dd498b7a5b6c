"""Scores are those of every mask and coordinate, one by one."""

from itertools import combinations

import pytest
import torch
from scipy.stats import multivariate_normal, norm

from mae_bench.oracles.cumulative_score import mean_log_likelihoods, scores
from mae_bench.oracles.masked_likelihood import chain

D = 4


@pytest.fixture(scope="module")
def images():
    noise = torch.Generator().manual_seed(0)
    return torch.randn(6, D, generator=noise, dtype=torch.float64)


def conditional(q, x, j, seen):
    """log q(x_j | x_seen), by regression."""
    beta = torch.linalg.solve(q[seen][:, seen], q[seen, j])
    spread = (q[j, j] - beta @ q[seen, j]).sqrt()
    return norm.logpdf(x[:, j], loc=x[:, seen] @ beta, scale=spread).mean()


@pytest.mark.parametrize("masked", range(1, D + 1))
def test_a_score_is_the_mean_over_masks_and_what_they_hide(masked, images):
    q = chain(D, 0.6)[0]
    slow = [
        conditional(q, images, j, [i for i in range(D) if i not in hidden])
        for hidden in combinations(range(D), masked)
        for j in hidden
    ]
    moments = images.T @ images / len(images)
    found = scores(mean_log_likelihoods(q[None], moments))[0, masked - 1]
    assert found.item() == pytest.approx(sum(slow) / len(slow))


def test_scores_of_all_sizes_add_up_to_the_log_likelihood(images):
    models = torch.stack([chain(D, phi)[0] for phi in (0.1, 0.9)])
    moments = images.T @ images / len(images)
    found = scores(mean_log_likelihoods(models, moments)).sum(1)
    for q, total in zip(models, found.tolist(), strict=True):
        slow = multivariate_normal.logpdf(images.numpy(), cov=q.numpy()).mean()
        assert total == pytest.approx(slow)


@pytest.mark.parametrize("right", [True, False])
def test_every_size_is_best_at_the_truth_and_elsewhere_if_there_is_none(right):
    phis = torch.linspace(0.3, 0.9, 61).tolist()
    models = torch.stack([chain(D, phi)[0] for phi in phis])
    truth = chain(D, 0.6)[0] if right else torch.full((D, D), 0.6).double()
    truth = truth.fill_diagonal_(1.0)
    best = scores(mean_log_likelihoods(models, truth)).argmax(0)[: D - 1]
    found = {round(phis[i], 3) for i in best.tolist()}
    assert (found == {0.6}) == right
