"""Layers that do nothing are alike; layers that forget are not."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.cka import cka
from mae_bench.metrics.layer_similarity import compare, layer_similarity


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def found(method, world, n=200):
    with torch.inference_mode():
        return layer_similarity(method, world, world.sample(n, rng(3)), rng())


@pytest.fixture
def world():
    return GaussianTree(rng())


def silent(method):
    """Blocks whose residual branches say nothing."""
    for block in method.encoder.blocks:
        for last in (block.attn.proj, block.mlp[-1]):
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.zeros_(last.bias)
    return method


def test_blocks_that_say_nothing_change_nothing(world):
    values = found(silent(RandomInit(world, rng(), depth=3)), world)
    assert values["increment"] == 0
    assert values["first_last"] == pytest.approx(1, abs=1e-6)
    assert values["adjacent"] == pytest.approx(1, abs=1e-6)
    assert {f"{i}/increment" for i in range(3)} < values.keys()


def test_a_layer_that_forgets_is_unlike_and_its_neighbours_share_the_blame(generator):
    first, last = torch.randn(2, 400, 6, 4, generator=generator)
    values = compare([first, first, last])
    assert values["first_last"] == pytest.approx(0, abs=0.03)
    assert values["adjacent"] == pytest.approx(0.5, abs=0.02)
    loops = [
        float((last[n, t] - first[n, t]).norm() / first[n, t].norm())
        for n in range(400)
        for t in range(6)
    ]
    assert values["1/increment"] == pytest.approx(sum(loops) / 2400, rel=1e-5)
    assert values["increment"] == pytest.approx(values["1/increment"] / 2)


def test_what_depends_on_the_place_alone_does_not_count(generator):
    first, last = torch.randn(2, 400, 6, 4, generator=generator)
    places = 100 * torch.randn(1, 6, 4, generator=generator)
    values = compare([first + places, last + places])
    assert values["first_last"] == pytest.approx(0, abs=0.03)


def test_the_untrained_encoder_agrees_with_its_own_forward_pass(world):
    method = RandomInit(world, rng(), depth=1, embed_dim=16)
    images, vit = world.sample(200, rng(3)).images, method.encoder
    embedded = vit.patch_embed(torch.nn.functional.unfold(images, 2, stride=2).mT)
    before = torch.cat(
        [vit.cls_token.expand(200, 1, -1), embedded + vit.positions], dim=1
    )
    after = vit.blocks[0](before)
    alike = cka(before[:, 1:].flatten(1), after[:, 1:].flatten(1))[""]
    assert found(method, world)["first_last"] == pytest.approx(float(alike), abs=1e-5)


def test_what_has_no_layers_is_skipped(world):
    with pytest.raises(Skip, match="LinearMAE has no layers"):
        found(LinearMAE(world, rng()), world)
    with pytest.raises(Skip, match="one layer"):
        found(RandomInit(world, rng(), depth=0), world)
