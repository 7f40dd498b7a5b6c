"""Descent finds the eigenvectors where there is a gap, and its start does not."""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics import Skip
from mae_bench.metrics.spectral_descent import (
    descend,
    objective,
    reach,
    spectral_descent,
)
from mae_bench.oracles.mask_graph import augmentation_graph


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def joint(seed, shape=(9, 7)):
    drawn = torch.rand(shape, generator=rng(seed), dtype=torch.float64) ** 3
    return drawn / drawn.sum()


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("lamb", [0.01, 1.0])
def test_descent_ends_at_the_closed_form_and_a_table_starts_far_from_it(k, lamb):
    found = reach(joint(0), k, lamb, rng(1))
    assert found["angle"] < 1e-4
    assert found["angle_start"] > 0.5
    assert found["loss_gap"] == pytest.approx(0, abs=1e-10 / lamb)
    assert found["gap"] > 1e-3


def test_the_table_is_the_low_rank_part_of_the_graph():
    a, lamb = joint(2), 0.25
    start = torch.randn(9, 2, generator=rng(3), dtype=torch.float64)
    found = descend(start, a, lamb)
    assert objective(found, a, lamb) < objective(start, a, lamb)
    weighted = a.sum(1, keepdim=True).sqrt() * found
    U, s, _ = torch.linalg.svd(augmentation_graph(a))
    low_rank = (U[:, :2] * s[:2]) @ U[:, :2].T
    # Of L_align / 2 + λ L_unif, F Fᵀ is A_aug over 4 λ.
    torch.testing.assert_close(
        4 * lamb * weighted @ weighted.T, low_rank, atol=1e-5, rtol=0
    )


def test_where_eigenvalues_are_equal_there_is_nothing_to_reach():
    # Two worlds that share no part: the eigenvalue 1 twice.
    twice = torch.block_diag(joint(4), joint(4)) / 2
    with pytest.raises(Skip, match="no gap"):
        reach(twice, 1, 1.0, rng())
    assert reach(twice, 2, 1.0, rng())["angle"] < 1e-4
    with pytest.raises(Skip, match="no gap"):
        reach(joint(5), 9, 1.0, rng())


def test_under_inference_mode_the_settings_of_the_method_are_read():
    world = RandomHierarchy(rng(), symbols=3, rules="random:4")
    found = {}
    for k in (1, 2):
        method = UMAE(world, rng(), bottleneck=k, lamb=0.1, mask_ratio=0.5)
        with torch.inference_mode():
            batch = world.sample(2, rng())
            found[k] = spectral_descent(method, world, batch, rng())
        assert found[k]["angle"] < 1e-3 < found[k]["angle_start"] < math.pi / 2
    assert found[1] != found[2]


def test_what_has_no_such_minimiser_is_skipped():
    world = RandomHierarchy(rng(), rules="random:2")
    deep = RandomHierarchy(rng())
    tree = GaussianTree(rng())

    def ask(method, dataset):
        spectral_descent(method, dataset, dataset.sample(2, rng()), rng())

    with pytest.raises(Skip, match="U-MAE alone"):
        ask(MAE(world, rng(), bottleneck=2), world)
    with pytest.raises(Skip, match="U-MAE alone"):
        ask(UMAE(world, rng()), world)
    with pytest.raises(Skip, match="U-MAE alone"):
        ask(UMAE(world, rng(), bottleneck=2, lamb=0.0), world)
    for other in (deep, tree):
        with pytest.raises(Skip, match="depth 1"):
            ask(UMAE(other, rng(), bottleneck=2), other)
