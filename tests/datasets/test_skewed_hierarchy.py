"""A random hierarchy whose first class is more frequent; posteriors know it."""

import pytest
import torch

from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.oracles.belief_propagation import marginals, posteriors


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(**settings) -> SkewedHierarchy:
    known = {"rules": "random:2,random:1", "symbols": 3}
    return SkewedHierarchy(rng(), **known | settings)


def test_the_first_class_has_its_weight_and_the_others_share_the_rest():
    shares = small(weight=0.6).draw(20_000, rng(1)).labels.bincount() / 20_000
    assert shares.tolist() == pytest.approx([0.6, 0.2, 0.2], abs=0.015)


def test_at_an_equal_weight_a_given_class_is_spelled_as_ever():
    world = small()
    batch = world.draw(2000, rng(1))
    top = batch.latents["level_1"].view(2000, 4, 3).argmax(2)
    known = {tuple(four) for four in world.rules[0][0].tolist()}
    assert {tuple(four) for four in top[batch.labels == 0].tolist()} == known


def test_what_is_known_of_an_unseen_image_is_the_law_that_it_is_drawn_from():
    world, n = small(weight=0.8), 20_000
    batch, known = world.draw(n, rng(1)), marginals(world)
    for level, law in known.items():
        shares = batch.latents[level].view(n, -1, 3).double().mean(0)
        assert (shares - law[0]).abs().max() < 0.02, level
    assert known["level_0"][0, 0].tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_posteriors_are_calibrated_with_the_weight_and_not_without():
    world, n = small(weight=0.9, noise=1.5), 8000
    batch = world.draw(n, rng(1))
    mask = torch.ones(1, 16)
    mask[0, [2, 9]] = 0
    first = (batch.labels == 0).double()

    def gap() -> float:
        found = posteriors(world, batch.images, mask)["level_0"][:, 0, 0]
        return (found - first).mean().item()

    assert gap() == pytest.approx(0, abs=0.015)
    world.root_law = None
    assert gap() < -0.1


def test_a_severed_level_keeps_its_own_marginal():
    world = small(weight=0.8)
    batch = world.draw(5, rng(1))
    found = posteriors(world, batch.images, torch.ones(1, 16), cut=1)
    for level, law in marginals(world).items():
        torch.testing.assert_close(found[level], law.expand_as(found[level]))


@pytest.mark.parametrize("weight", [0.0, 1.0, -2.0])
def test_a_weight_that_is_none_is_named(weight):
    with pytest.raises(ValueError, match=f"weight is {weight}; choose in"):
        small(weight=weight)
