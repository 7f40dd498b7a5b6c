import math
from itertools import combinations, product

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.oracles.forecasting import (
    average_distance,
    canonical_correlations,
    dependence,
    dependence_score,
    graph_score,
    masks,
    ridge,
    root_share,
    shared_latents,
    tail_sum,
)
from mae_bench.oracles.located_latents import quadtree_c


def test_masks_are_of_whole_units_and_hide_the_share_they_should() -> None:
    mask = masks(8, 0.5, 4)
    squares = mask.view(-1, 2, 4, 2, 4).transpose(2, 3).flatten(3)
    assert (squares == squares[..., :1]).all()
    assert mask.mean() == 0.5


def test_the_roots_share_is_whole_where_the_mask_shares_the_root_alone() -> None:
    assert root_share(2, 0.5, 2) == 1.0
    assert root_share(2, 0.25, 1) == pytest.approx(root_share(2, 0.75, 1))
    assert root_share(2, 0.5, 1) < root_share(2, 0.25, 1) < 1.0


def test_a_tail_sum_is_that_of_all_products_by_brute_force() -> None:
    rho = torch.tensor([0.8, 0.5, 0.3], dtype=torch.float64)
    powers = product(range(60), range(30), range(20))
    every = sorted(
        (0.8 ** (4 * a) * 0.5 ** (4 * b) * 0.3 ** (4 * c) for a, b, c in powers),
        reverse=True,
    )
    for k in (0, 1, 2, 5, 11):
        assert tail_sum(rho, k) == pytest.approx(sum(every[k:]), rel=1e-9)


def test_unrelated_parts_have_no_tail_beyond_the_constant() -> None:
    assert tail_sum(torch.zeros(3, dtype=torch.float64), 1) == 0.0
    assert tail_sum(torch.zeros(3, dtype=torch.float64), 5) == 0.0


def test_canonical_correlations_are_those_of_a_plain_pair() -> None:
    covariance = torch.eye(4, dtype=torch.float64)
    covariance[0, 2] = covariance[2, 0] = 0.6
    mask = torch.tensor([0.0, 0.0, 1.0, 1.0])
    found = canonical_correlations(covariance, mask)
    assert found.tolist() == pytest.approx([0.6, 0.0])


def test_the_label_is_lost_as_simulation_says() -> None:
    # Half of the image hidden, by four units of which two stay.
    world = GaussianTree(torch.Generator().manual_seed(5))
    batch = world.sample(20_000, torch.Generator().manual_seed(6))
    mask = masks(8, 0.5, 4, n=1)[0] == 0
    x, z = batch.images.flatten(1)[:, mask].double(), batch.latents["level_0"].double()
    guess = x @ torch.linalg.lstsq(x, z).solution
    wrong = ((guess > 0) != (z > 0)).any(1).double().mean().item()
    tails = -graph_score(0.5, 4, 10_000)  # nothing is left of the tail
    assert tails == pytest.approx(wrong, abs=0.015)


def test_a_mask_and_its_complement_differ_in_the_labelling_error_alone() -> None:
    # Their tails are the same but for the draw of the masks: the label is what
    # the fewer visible pixels cost.
    loss = graph_score(0.25, 2, 32) - graph_score(0.75, 2, 32)
    assert 0 < loss < 0.3


def by_loops(mask: torch.Tensor, side: int) -> float:
    total, count = 0.0, 0
    for row in mask:
        visible = [divmod(i, side) for i in range(side**2) if row[i] == 0]
        for i in range(side**2):
            if row[i] == 1:
                r, c = divmod(i, side)
                total += min(math.hypot(r - y, c - x) for y, x in visible)
                count += 1
    return total / count


def test_the_average_distance_is_that_of_loops_and_grows_with_ratio_and_unit() -> None:
    assert average_distance(4, 0.5, 2) == pytest.approx(by_loops(masks(4, 0.5, 2), 4))
    assert average_distance(8, 0.5, 2) < average_distance(8, 0.75, 2)
    assert average_distance(8, 0.5, 2) < average_distance(8, 0.5, 4)


def test_the_ridge_is_highest_at_the_published_distance() -> None:
    assert ridge(192, 0.5, 32) > ridge(192, 0.75, 64)
    assert ridge(8, 0.25, 2) <= 0


def every_mask(side: int, masked: int) -> torch.Tensor:
    found = torch.zeros(math.comb(side**2, masked), side**2)
    for row, hidden in zip(found, combinations(range(side**2), masked), strict=True):
        row[list(hidden)] = 1
    return found


@pytest.mark.parametrize("masked", [1, 4, 6])
def test_shared_latents_are_counted_over_every_mask(masked: int) -> None:
    hidden = every_mask(4, masked).view(-1, 4, 4)
    located = quadtree_c(hidden.int())
    # c and, as all are below it, the root.
    held = (located[1].sum(1) + 1).double().mean().item()
    assert held == pytest.approx(shared_latents(2, masked / 16, 1))


def test_whole_quarters_share_the_root_alone_and_a_part_of_one_itself_too() -> None:
    for ratio in (0.25, 0.5, 0.75):
        assert shared_latents(2, ratio, 2) == 1
        assert shared_latents(2, ratio, 1, "aligned") == 1
    assert shared_latents(2, 0.125, 1, "aligned") == 2
    assert shared_latents(2, 0.75, 1, "grid") == 5
    assert shared_latents(2, 0.25, 1) == pytest.approx(shared_latents(2, 0.75, 1))


def test_shared_latents_drawn_are_those_in_closed_form() -> None:
    # A tree of three levels, masks of which every family but ``random`` is drawn.
    hidden = masks(8, 0.25, 1, n=4000).view(-1, 1, 8, 8)
    found = 0.0
    for size in (2, 4, 8):
        share = torch.nn.functional.avg_pool2d(hidden, size)
        found += ((share > 0) & (share < 1)).sum().item() / len(hidden)
    assert shared_latents(3, 0.25, 1) == pytest.approx(found, rel=0.01)


def test_the_dependence_beyond_the_root_is_that_of_simulation() -> None:
    # One mask: E ||E[x_m | x_v] - E[E[x_m | y] | x_v]||², by least squares.
    world = GaussianTree(torch.Generator().manual_seed(0))
    batch = world.sample(60_000, torch.Generator().manual_seed(1))
    x, y = batch.images.flatten(1).double(), batch.latents["level_0"].double()
    (mask,) = masks(8, 0.25, 2, n=1)
    v, m = x[:, mask == 0], x[:, mask == 1]
    by_root = y @ torch.linalg.lstsq(y, m).solution
    left = v @ torch.linalg.lstsq(v, m - by_root).solution
    beta = torch.linalg.svdvals(y.T @ m / len(m))[-1]
    simulated = (left.square().sum(1).mean() / beta.square()).item()
    root = world.cross_covariance()["level_0"]
    found = dependence(world.covariance(), root, mask).item()
    assert found == pytest.approx(simulated, rel=0.05)


def test_many_masks_are_as_each_alone() -> None:
    world = GaussianTree(torch.Generator().manual_seed(0))
    covariance, root = world.covariance(), world.cross_covariance()["level_0"]
    mask = masks(8, 0.75, 2, n=3)
    for at, one in enumerate(mask):
        rho = canonical_correlations(covariance, mask)[at]
        assert torch.allclose(rho, canonical_correlations(covariance, one))
        of_all = dependence(covariance, root, mask)[at]
        assert torch.allclose(of_all, dependence(covariance, root, one))
    whole = canonical_correlations(covariance, torch.zeros(2, 64))
    assert whole.shape == (2, 0)  # there is no masked part
    with pytest.raises(ValueError, match="remove 32 to 48 pixels; give those of one"):
        canonical_correlations(covariance, torch.cat([mask, masks(8, 0.5, 2, n=1)]))


def test_whole_quarters_depend_through_the_root_alone() -> None:
    assert dependence_score(0.25, 4, "random") == pytest.approx(0, abs=1e-9)
    assert dependence_score(0.25, 2, "random") < -0.1
