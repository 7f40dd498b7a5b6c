"""Jacobians against finite differences and against linear maps whose reach is known."""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.jacobian_influence import (
    centres,
    describe,
    influence,
    jacobian_influence,
)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world():
    return GaussianTree(rng())


def found(method, world, n=8):
    with torch.inference_mode():
        batch = world.sample(n, rng(3))
        return jacobian_influence(method, world, batch, rng(4))


def test_a_linear_map_has_its_own_norms_and_no_variation(generator):
    W = torch.randn(3, 2, 4, 5, generator=generator)  # [i, c, j, v]
    inputs = torch.randn(6, 4, 5, generator=generator)
    norm, variation = influence(lambda x: torch.einsum("njv,icjv->nic", x, W), inputs)
    expected = W.square().sum((1, 3)).sqrt().expand(6, -1, -1)
    torch.testing.assert_close(norm, expected)
    assert variation == pytest.approx(0, abs=1e-5)


def test_a_square_has_the_variation_that_algebra_gives(generator):
    # J = 2 x with x ~ N(1, 1): variance 4 of a second moment of 8.
    inputs = 1 + torch.randn(20_000, 1, 1, generator=generator)
    norm, variation = influence(torch.square, inputs)
    torch.testing.assert_close(norm, 2 * inputs.abs())
    assert variation == pytest.approx(0.5, abs=0.02)


def test_the_variation_of_two_images_is_not_biased(generator):
    pairs = 1 + torch.randn(200, 2, 1, 1, generator=generator)
    spread = [
        variation * float(norm.square().mean())
        for norm, variation in (influence(torch.square, pair) for pair in pairs)
    ]
    assert sum(spread) / 200 == pytest.approx(4, abs=1.2)


def test_the_encoder_agrees_with_finite_differences(world, monkeypatch):
    method = RandomInit(world, rng(), embed_dim=8, num_heads=2).double()
    images = world.sample(2, rng(3)).images.double()
    seen = {}
    monkeypatch.setattr(
        "mae_bench.metrics.jacobian_influence.influence",
        lambda f, x: seen.setdefault("found", influence(f, x)),
    )
    with torch.inference_mode():
        batch = type(world.sample(1, rng()))(images * 1)
        jacobian_influence(method, world, batch, rng())
    step, norm = 1e-5, seen["found"].norm
    for pixel in (0, 13, 63):
        push = torch.zeros(64).double()
        push[pixel] = step
        push = push.view(1, 1, 8, 8)
        ends = [method.encoder(images + sign * push)[:, 1:] for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        torch.testing.assert_close(
            norm[:, :, pixel], slope.norm(dim=-1), rtol=1e-4, atol=1e-7
        )


def test_a_patch_that_feels_itself_alone_has_the_radius_of_its_pixels(world):
    values = found(RandomInit(world, rng(), depth=0), world)
    # Pixels of a 2x2 patch are half a pixel's diagonal from its middle.
    assert values["encoder/radius"] == pytest.approx(math.sqrt(0.5))
    assert values["encoder/out_of_patch_share"] == values["encoder/far_share"] == 0
    assert values["encoder/variation"] > 0


def test_even_influence_reaches_1_and_its_far_share_is_counted(generator):
    ids = torch.arange(16).expand(3, -1)
    outputs, inputs = centres(ids, 4, 2), centres(torch.arange(64)[None], 8, 1)
    inputs = inputs.expand(3, -1, -1)
    visible = torch.rand(3, 64, generator=generator) < 0.4
    norm = visible[:, None].expand(3, 16, 64).float()
    values = describe(norm, outputs, inputs, visible, 2)
    assert values["reach"] == pytest.approx(1)
    assert values["far_share"] == pytest.approx(values["far_share_even"])
    far = out = total = 0
    for n in range(3):
        for patch in range(16):
            for pixel in range(64):
                row, column = pixel // 8 // 2, pixel % 8 // 2
                steps = max(abs(row - patch // 4), abs(column - patch % 4))
                weight = float(visible[n, pixel])
                total += weight
                far += weight * (steps > 1)
                out += weight * (steps > 0)
    assert values["far_share"] == pytest.approx(far / total)
    assert values["out_of_patch_share"] == pytest.approx(out / total)


def test_influence_of_one_pixel_has_its_distance():
    outputs = centres(torch.tensor([[0, 15]]), 4, 2)
    inputs = centres(torch.tensor([[0, 63]]), 8, 1)
    norm = torch.tensor([[[0.0, 2.0], [0.0, 0.0]]])
    shown = torch.ones(1, 2, dtype=torch.bool)
    values = describe(norm, outputs, inputs, shown, 2)
    # From (1, 1) to (7.5, 7.5).
    assert values["radius"] == pytest.approx(6.5 * math.sqrt(2))
    assert values["far_share"] == 1


class Copying(MAE):
    """Every asked patch is told what the visible patch of one place says."""

    def __init__(self, *args, place=0, **settings):
        super().__init__(*args, mask_family="left", **settings)
        self.place = place

    def forward_encoder(self, images, masking):
        tokens = super().forward_encoder(images, masking) * 0
        patches = torch.nn.functional.unfold(images, 2, stride=2).mT
        kept = patches.gather(1, masking.ids_keep[..., None].expand(-1, -1, 4))
        return tokens + torch.nn.functional.pad(kept, (0, 28, 1, 0))

    def forward_decoder(self, tokens, masking):
        index = (masking.ids_keep[0] == self.place).nonzero()[0, 0]
        told = tokens[:, 1 + index, :4]
        return told[:, None].expand(-1, masking.ids_masked.shape[1], -1)


def test_of_a_reconstruction_the_far_share_is_that_of_the_patches_it_copies(world):
    # Masked are columns 0 and 1. Place 2 is on row 0, column 2: of the eight masked
    # patches those of column 1 in rows 0 and 1 are its neighbours.
    values = found(Copying(world, rng(), place=2), world)
    for prefix in ("reconstruction", "decoder"):
        assert values[f"{prefix}/far_share"] == pytest.approx(6 / 8)
        assert values[f"{prefix}/out_of_patch_share"] == 1
    distance = [math.hypot(row, 2 - c) * 2 for row in range(4) for c in range(2)]
    assert values["decoder/radius"] == pytest.approx(sum(distance) / 8)


def test_hidden_pixels_have_no_influence_on_a_reconstruction(world, monkeypatch):
    method, seen = MAE(world, rng()), []

    def spy(function, inputs):
        seen.append(influence(function, inputs))
        return seen[-1]

    monkeypatch.setattr("mae_bench.metrics.jacobian_influence.influence", spy)
    found(method, world)
    masking = method.masking(8, rng(4))
    hidden = masking.mask.view(8, 4, 4).repeat_interleave(2, 1).repeat_interleave(2, 2)
    felt = seen[1].norm.sum(1) > 0
    assert torch.equal(felt, hidden.flatten(1) == 0)
    assert seen[2].norm.shape == (8, 12, 4)


def test_rims_are_told_where_patches_have_an_inside(world):
    method = RandomInit(world, rng(), depth=0, patch_size=4)
    rim = torch.ones(4, 4)
    rim[1:3, 1:3] = 0
    method.encoder.patch_embed.weight.data *= rim.flatten()
    # 12 of 16 pixels have all the weight.
    assert found(method, world)["encoder/boundary_share"] == pytest.approx(16 / 12)
    assert "encoder/boundary_share" not in found(RandomInit(world, rng()), world)


def test_an_autoencoder_is_asked_for_what_it_sees_and_a_code_has_no_place(world):
    values = found(Autoencoder(world, rng(), depth=0, decoder_depth=1), world, n=2)
    assert values["reconstruction/out_of_patch_share"] < 1
    code = found(MAE(world, rng(), bottleneck=4), world, n=2)
    assert "reconstruction/radius" in code
    assert "decoder/radius" not in code


def test_a_linear_model_is_skipped(world):
    with pytest.raises(Skip, match="LinearMAE has no patch tokens"):
        found(LinearMAE(world, rng()), world)
