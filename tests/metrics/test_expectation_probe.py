"""The probe of the expectation, for a method that is told it and one that is not."""

import pytest
import torch

from mae_bench.datasets.conditional_halves import ConditionalHalves
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.expectation_probe import expectation_probe


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Told(MAE):
    """It predicts ψ* plus a constant error of 1 a pixel."""

    version = 1

    def reconstruct(self, batch, generator):
        masking = self.masking(len(batch), generator)
        target = self.target(batch.images, masking)
        exact = self.target(self.dataset.expectation(batch.images), masking)
        return exact + 1, target, masking


@torch.inference_mode()
def measured(method, world, n=600):
    return expectation_probe(method, world, world.sample(n, rng(1)), rng(2))


def built(kind=Told, mask_family="left", **settings):
    world = ConditionalHalves(rng(), **settings)
    return kind(world, rng(), mask_family=mask_family), world


def test_the_exact_expectation_reaches_bayes_where_the_halves_are_independent():
    found = measured(*built())
    assert found["exact"] == pytest.approx(found["bayes"], abs=0.01)
    assert found["ci_gap"] == 0


def test_a_method_that_predicts_it_is_read_as_well_and_has_its_own_error():
    found = measured(*built(strength=1.0))
    assert found["prediction"] == pytest.approx(found["exact"], abs=0.005)
    assert found["pretraining_gap"] == pytest.approx(32, rel=1e-5)


def test_pixels_tell_no_linear_map_the_class_though_they_tell_bayes():
    found = measured(*built(), n=2000)
    assert found["visible"] == pytest.approx(0.25, abs=0.06)
    assert found["bayes"] > 0.88


def test_a_nuisance_costs_accuracy_along_the_class_means_alone():
    along, aside = (
        measured(*built(strength=2.0, overlap=overlap)) for overlap in (True, False)
    )
    assert along["ci_gap"] == aside["ci_gap"] == pytest.approx(4 * 16 / 4.25)
    assert along["exact"] < along["bayes"] - 0.2
    assert aside["exact"] > aside["bayes"] - 0.03


def test_an_untrained_method_predicts_little():
    found = measured(*built(MAE))
    assert found["prediction"] < found["exact"] - 0.3
    assert found["pretraining_gap"] > 1


def test_the_halves_must_be_what_the_method_masks():
    method, world = built(MAE, mask_family="random")
    with pytest.raises(Skip, match="not the left half"):
        measured(method, world, 20)
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="of GaussianTree is not known"):
        measured(MAE(tree, rng(), mask_family="left"), tree, 20)
    with pytest.raises(Skip, match="RandomInit predicts no masked half"):
        measured(RandomInit(world, rng()), world, 20)
