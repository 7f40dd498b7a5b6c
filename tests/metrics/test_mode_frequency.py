"""A network that paints the mean of some weight is told to have that weight."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising_phases import IsingPhases
from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.mode_frequency import mode_frequency
from mae_bench.models.vit import patchify
from mae_bench.oracles.mode_blindness import mode_uncertainty
from mae_bench.oracles.mode_frequency import mode_means

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16}
KINDS = {
    "ising": lambda: IsingPhases(rng(), image_size=6, sweeps=5),
    "hierarchy": lambda: SkewedHierarchy(rng(), rules="random:2,random:1"),
    "product": lambda: TwoModes(rng()),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world, n=500):
    with torch.inference_mode():
        return mode_frequency(method, world, world.split("test", n, rng(1)), rng(2))


@pytest.mark.parametrize("name", KINDS)
def test_who_paints_a_mean_has_its_weight(name, monkeypatch):
    world = KINDS[name]()
    method = MAE(world, rng(), patch_size=1 if name == "product" else 2, **SMALL)
    plus, minus = mode_means(world).float()
    mean = patchify((0.9 * plus + 0.1 * minus)[None], method.encoder.patch_size)

    def paint(_, masking):
        index = masking.ids_masked[..., None].expand(-1, -1, mean.shape[2])
        return mean.expand(len(index), -1, -1).gather(1, index)

    monkeypatch.setattr(method, "forward_decoder", paint)
    found = read(method, world)
    assert found["weight"] == pytest.approx(0.9, abs=1e-5)
    assert found["error"] == pytest.approx(0.2, abs=1e-5)
    assert found["loss"] > 0
    if name != "ising":
        # Who does not look is as far from Bayes as the mean image, and farther.
        assert found["excess"] > found["excess_blind"] > 0.01


def test_the_uncertainty_is_the_exact_one_of_a_product():
    world = TwoModes(rng())
    method = MAE(world, rng(), patch_size=1, mask_ratio=15 / 16, **SMALL)
    found = read(method, world, n=1500)
    exact = mode_uncertainty(4, 0.6, 0.7) / 0.21
    assert found["uncertainty"] == pytest.approx(exact, abs=0.04)


def test_other_methods_and_worlds_are_skipped():
    world, tree = KINDS["product"](), GaussianTree(rng())
    with pytest.raises(Skip, match="RandomInit paints no image"):
        read(RandomInit(world, rng()), world)
    with pytest.raises(Skip, match="GaussianTree has no two modes"):
        read(MAE(tree, rng(), **SMALL), tree, n=2)
