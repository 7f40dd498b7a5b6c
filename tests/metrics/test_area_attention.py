"""Attention on planted areas: at its ends, against loops, and what it cannot see."""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.area_attention import (
    advantage,
    area_attention,
    diversity,
    read,
)
from mae_bench.models.vit import ViT

AREAS = torch.tensor([[0, 0, 0, 0, 1, 1], [1, 0, 0, 0, 0, 2]])
VARIANTS = {"global", "local", "local_to_global", "diversity", "patches"}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def perfect(queries, keys):
    own = (queries[:, :, None] == keys[:, None]).double()
    return own / own.sum(2, keepdim=True)


def random_attention(n=2, q=6, k=6):
    return torch.rand(n, q, k, generator=rng()).double().softmax(2)


def test_attention_on_the_own_area_alone_has_all_the_advantage():
    found = read(perfect(AREAS, AREAS), AREAS, AREAS)
    assert found["global"] == pytest.approx(1)
    assert found["local"] == pytest.approx(1)
    # Of the global keys it has nothing: -u / (1 - u), u = 4 / 6.
    assert found["local_to_global"] == pytest.approx(-2)
    assert found["patches"] == pytest.approx(1)
    # Two queries differ wholly if of other areas: 8 and 9 of the 15 pairs.
    assert found["diversity"] == pytest.approx((8 + 9) / 30)


def test_uniform_attention_has_no_advantage_and_no_diversity():
    found = read(torch.full((2, 6, 6), 0.1).double(), AREAS, AREAS)
    for name in ("global", "local", "local_to_global", "diversity"):
        assert found[name] == pytest.approx(0, abs=1e-7)
    assert found["patches"] == pytest.approx(0.6)  # the rest is on the class token


def test_attention_collapsed_on_the_global_area_is_alike_everywhere():
    collapsed = (AREAS == 0)[:, None].expand(2, 6, 6) / 4.0
    found = read(collapsed, AREAS, AREAS)
    assert found["global"] == found["local_to_global"] == pytest.approx(1)
    assert found["local"] < 0
    assert found["diversity"] == pytest.approx(0, abs=1e-7)


def test_advantage_is_that_of_loops():
    A, keys = random_attention(), AREAS[:, [0, 4, 5, 1, 2, 3]]
    wanted, asking = AREAS[:, :, None] == keys[:, None], AREAS > 0
    gained = possible = 0.0
    for i in range(2):
        for q in range(6):
            own = [k for k in range(6) if keys[i, k] == AREAS[i, q]]
            if AREAS[i, q] == 0 or not own:
                continue
            gained += sum(A[i, q, k].item() for k in own) - len(own) / 6
            possible += 1 - len(own) / 6
    assert advantage(A, wanted, asking) == pytest.approx(gained / possible)


def test_a_query_whose_area_is_all_hidden_does_not_count():
    queries, keys = torch.tensor([[1, 1, 2]]), torch.tensor([[0, 0, 1]])
    A = torch.tensor([[[0.0, 0.0, 1.0], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]]])
    found = read(A, queries, keys)
    assert found["local"] == pytest.approx((1 + 0.5 - 2 / 3) / (4 / 3))
    assert math.isnan(found["global"])  # nobody asks


def test_diversity_is_the_mean_total_variation_of_two_queries():
    A = random_attention()
    pairs = [
        (A[i, q] - A[i, r]).abs().sum().item() / 2
        for i in range(2)
        for q in range(6)
        for r in range(q)
    ]
    assert diversity(A) == pytest.approx(sum(pairs) / len(pairs))
    assert diversity(torch.eye(6)[None]) == pytest.approx(1)


def test_its_known_lie_is_that_place_alone_gives_advantage_to_areas_in_one_piece():
    """Attention to the nearest patches, that knows no area, is on the own area too."""
    world = PlantedAreas(rng(), global_rows=3)
    area = world.areas
    place = torch.cartesian_prod(torch.arange(6.0), torch.arange(6.0))
    near = (-torch.cdist(place, place)).softmax(1).expand(4, -1, -1)
    found = read(near, area, area)
    assert found["global"] > 0.2
    assert found["local"] > 0.2
    # But not half of what there is to gain, the least that a theory may ask for.
    assert found["local"] < 0.5


@pytest.fixture
def world():
    return PlantedAreas(rng())


@torch.inference_mode()
def measured(method, world, n=40):
    return area_attention(method, world, world.sample(n, rng(1)), rng(2))


def test_encoder_and_decoder_have_their_variants(world):
    both = measured(MAE(world, rng(), patch_size=4, depth=1), world)
    assert set(both) == {
        f"{part}/{v}" for part in ("encoder", "decoder") for v in VARIANTS
    }
    flat = measured(MAE(world, rng(), patch_size=4, depth=0), world)
    assert set(flat) == {f"decoder/{v}" for v in VARIANTS}
    for settings in ({"decoder_depth": 0}, {"bottleneck": 3}):  # no patches to look at
        blind = MAE(world, rng(), patch_size=4, depth=1, **settings)
        assert set(measured(blind, world)) == {f"encoder/{v}" for v in VARIANTS}


def test_a_decoder_that_looks_at_visible_patches_alone_leaves_only_the_class_token(
    world,
):
    settings = {"patch_size": 4, "depth": 0, "mask_ratio": 0.5}
    lone = measured(MAE(world, rng(), mask_to_mask=False, **settings), world)
    mixed = measured(MAE(world, rng(), **settings), world)
    assert 0.85 < lone["decoder/patches"] < 1
    assert mixed["decoder/patches"] < 0.7


def test_an_encoder_that_knows_only_areas_has_all_the_advantage(world):
    method = RandomInit(world, rng(), patch_size=4, embed_dim=32, depth=1, num_heads=1)
    plant(method.encoder, world)
    found = measured(method, world)
    assert found["encoder/global"] > 0.95
    assert found["encoder/local"] > 0.95


def plant(vit: ViT, world: PlantedAreas) -> None:
    """Keys and queries that agree if two patches have the same direction."""
    v = world.parameters()["directions"].flatten(0, 1).flatten(1)
    with torch.no_grad():
        vit.positions.zero_()
        vit.patch_embed.weight[:16] = v / 4
        vit.patch_embed.weight[16:] = -v / 4  # so that the norm's mean is 0
        qkv = vit.blocks[0].attn.qkv.weight
        qkv[:32] = qkv[32:64] = 3 * torch.eye(32)


def test_it_is_the_same_for_the_same_masks_and_leaves_no_hook(world):
    method = MAE(world, rng(), patch_size=4)
    assert measured(method, world) == measured(method, world)
    assert not any(part._forward_hooks for part in method.modules())


def test_what_has_no_planted_areas_or_no_attention_is_skipped(world):
    tree = GaussianTree(rng())
    with pytest.raises(Skip, match="GaussianTree has no planted areas"):
        measured(MAE(tree, rng()), tree)
    with pytest.raises(Skip, match="Pixels has no attention"):
        measured(Pixels(world, rng()), world)
    with pytest.raises(Skip, match="patches of 2 pixels are not the world's of 4"):
        measured(RandomInit(world, rng()), world)
    with pytest.raises(Skip, match="RandomInit has no layer of attention"):
        measured(RandomInit(world, rng(), patch_size=4, depth=0), world)
