"""Patches of an area share a strength, along a direction that no other area has."""

import math

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.planted_areas import HIGH, LOW, PlantedAreas, area_maps
from mae_bench.models.vit import patchify


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def directions(world: PlantedAreas) -> torch.Tensor:
    """[cluster, area, pixels of a patch]."""
    return world.parameters()["directions"].flatten(2)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
def test_an_area_map_has_one_global_and_three_local_areas_of_their_size(rows):
    for area in area_maps(rows, 4):
        sizes = area.bincount(minlength=4).tolist()
        assert sizes == [6 * rows, *[2 * (6 - rows)] * 3]


def test_the_maps_of_the_clusters_are_turned_and_join_other_patches():
    maps = area_maps(4, 4).view(4, 6, 6)
    first = maps[0].tolist()
    assert first == [[0] * 6] * 4 + [[1, 1, 2, 2, 3, 3]] * 2
    for k in range(1, 4):
        turned = [[first[c][5 - r] for c in range(6)] for r in range(6)]
        first = turned
        assert maps[k].tolist() == turned
    for rows in range(2, 6):
        area = area_maps(rows, 4)
        joined = area[:, :, None] == area[:, None]
        assert len(joined.flatten(1).unique(dim=0)) == 4


@pytest.mark.parametrize("rows", [2, 5])
def test_a_patch_is_the_strength_of_its_area_times_its_direction(rows):
    world = PlantedAreas(rng(), global_rows=rows, pixel_noise=1e-6)
    batch = world.sample(8, rng(1))
    patches, v = patchify(batch.images, 4), directions(world)
    for i in range(8):
        cluster = int(batch.labels[i])
        for p in range(36):
            area = int(world.areas[cluster, p])
            expected = batch.latents["level_1"][i, area] * v[cluster, area]
            torch.testing.assert_close(patches[i, p], expected, atol=1e-4, rtol=0)


def test_directions_are_orthogonal_and_as_long_as_the_pixels_are_many():
    v = directions(PlantedAreas(rng())).flatten(0, 1).double()
    torch.testing.assert_close(v @ v.T, 16 * torch.eye(16).double(), atol=1e-4, rtol=0)


def test_the_noise_has_its_variance_and_clusters_and_strengths_their_law():
    n, world = 4000, PlantedAreas(rng(), pixel_noise=0.5)
    batch = world.sample(n, rng(1))
    cluster, z = batch.latents.values()
    assert torch.equal(cluster.argmax(1), batch.labels)
    share = cluster.mean(0)
    assert (share - 0.25).abs().max() < 5 * math.sqrt(0.25 * 0.75 / n)
    assert LOW <= z.min() <= z.max() <= HIGH
    assert (z.mean(0) - 1).abs().max() < 5 * math.sqrt(3 / 16 / n)
    # Strengths of two areas have nothing to do with each other.
    assert (z.T.corrcoef() - torch.eye(4)).abs().max() < 5 / math.sqrt(n)
    area = world.areas[batch.labels]
    clean = (
        z.gather(1, area)[..., None] * directions(world)[batch.labels[:, None], area]
    )
    noise = patchify(batch.images, 4) - clean
    assert noise.var().item() == pytest.approx(0.25, rel=0.01)


def test_a_view_keeps_cluster_and_strengths_and_blanks_its_share():
    world = PlantedAreas(rng(), hidden_share=0.3)
    batch = world.sample(500, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    for level in world.levels:
        assert torch.equal(view.latents[level], batch.latents[level])
    blank = (patchify(view.images, 4) == 0).float().mean(2)
    assert set(blank.unique().tolist()) == {0.0, 1.0}  # whole patches
    assert blank.mean().item() == pytest.approx(0.3, abs=5 * 0.46 / math.sqrt(18_000))
    whole = PlantedAreas(rng(), hidden_share=0.0)
    change = whole.redraw(batch, rng(2)).images - batch.images
    assert change.var().item() == pytest.approx(0.5, rel=0.02)  # twice the noise


def test_a_batch_is_what_the_world_declares():
    world = PlantedAreas(rng(), clusters=2, patch_size=3)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 1, 18, 18)
    assert batch.images.dtype == torch.float32
    assert [z.shape[1] for z in batch.latents.values()] == [2, 4]
    assert 0.5 < PlantedAreas(rng()).sample(500, rng()).images.std() < 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"global_rows": 0}, r"global_rows is 0; choose in 1\.\.5"),
        ({"global_rows": 6}, "global_rows is 6"),
        ({"clusters": 1}, "clusters is 1"),
        ({"clusters": 5}, "clusters is 5"),
        ({"patch_size": 3}, r"patch_size is 3; choose in 4\.\."),
        ({"pixel_noise": 0.0}, "pixel_noise is 0.0"),
        ({"hidden_share": 1.0}, "hidden_share is 1.0"),
        ({"hidden_share": math.nan}, "hidden_share is nan"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PlantedAreas(rng(), **settings)


def test_images_of_another_world_are_not_redrawn():
    with pytest.raises(ValueError, match="not of this world"):
        PlantedAreas(rng()).redraw(Batch(torch.zeros(3, 1, 24, 24)), rng())
