"""Tokens that tell the areas apart read 1, and noise reads 0."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.methods.lejepa import LeJEPA
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip
from mae_bench.metrics.token_clusters import agreement, token_clusters

SMALL = {"embed_dim": 16, "depth": 1, "patch_size": 4, "num_heads": 1}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def world():
    return PlantedAreas(rng(1), pixel_noise=2.0)


def read(method, world, n=20):
    with torch.inference_mode():
        return token_clusters(method, world, world.draw(n, rng(2)), rng(3))


def test_what_tells_the_areas_reads_one_and_what_tells_nothing_nought(world):
    area = world.areas[torch.arange(40) % 4]
    told = torch.nn.functional.one_hot(area, 4).double()
    assert agreement(told, area, 0) == 1
    noise = torch.randn(40, 36, 4, generator=rng(), dtype=torch.float64)
    assert abs(agreement(noise, area, 0)) < 0.03


def test_the_louder_the_noise_the_less_pixels_tell(world):
    quiet = PlantedAreas(rng(1), pixel_noise=0.5)
    method = MAE(world, rng(), **SMALL)
    loud, clear = (read(method, w)["pixels"] for w in (world, quiet))
    assert loud < 0.3 < 0.8 < clear


def test_tokens_are_the_encoders_and_the_draw_the_generators(world):
    method = MAE(world, rng(), **SMALL)
    found = read(method, world)
    assert found == read(method, world)
    batch = world.draw(20, rng(2))
    area = world.areas[batch.latents["level_0"].argmax(1)]
    with torch.inference_mode():
        tokens = method.encoder(batch.images)[:, 1:]  # after the class token
    seed = int(torch.randint(2**31 - 1, (), generator=rng(3)))
    assert found["tokens"] == agreement(tokens, area, seed)


def test_other_worlds_methods_and_patches_are_skipped(world):
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="GaussianTree has no planted areas"):
        read(MAE(tree, rng(), embed_dim=16, depth=1), tree)
    with pytest.raises(Skip, match="LeJEPA has no patch tokens"):
        read(LeJEPA(world, rng()), world)
    with pytest.raises(Skip, match="patches of 2 pixels"):
        read(MAE(world, rng(), **SMALL | {"patch_size": 2}), world)
