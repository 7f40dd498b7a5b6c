"""Content and style are mixed without loss; views share the content alone."""

import math

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.content_style import ContentStyle, invertible, mix, unmix


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights_of(world: ContentStyle) -> list[torch.Tensor]:
    return [world.parameters()[f"weights_{i}"].double() for i in (1, 2, 3)]


@pytest.mark.parametrize("dependence", [False, True])
def test_an_image_tells_its_content_and_style_without_loss(dependence):
    world = ContentStyle(rng(), content=5, style=4, dependence=dependence)
    batch = world.sample(200, rng(1))
    z = unmix(batch.images.flatten(1).double(), weights_of(world))
    known = torch.cat(list(batch.latents.values()), 1).double()
    torch.testing.assert_close(z, known, atol=1e-4, rtol=1e-4)


def test_mixing_is_a_network_of_leaky_units():
    weights = [torch.randn(3, 3, generator=rng(i)).double() for i in range(3)]
    z = torch.randn(3, generator=rng(3)).double()
    x = z
    for i, W in enumerate(weights):
        x = torch.stack([sum(W[r, k] * x[k] for k in range(3)) for r in range(3)])
        if i < 2:
            gain = math.sqrt(2 / 1.04)
            x = gain * torch.tensor([t if t > 0 else 0.2 * t for t in x.tolist()])
    torch.testing.assert_close(mix(z[None], weights)[0], x.double(), rtol=1e-5, atol=0)
    torch.testing.assert_close(unmix(mix(z[None], weights), weights)[0], z)


def test_images_are_of_unit_scale_and_mixed_beyond_a_linear_map():
    batch = ContentStyle(rng()).sample(20_000, rng(1))
    x = batch.images.flatten(1).double()
    assert 0.5 < x.square().mean().sqrt() < 2
    z = torch.cat(list(batch.latents.values()), 1).double()
    design = torch.cat([z, torch.ones(len(z), 1).double()], 1)
    rest = x - design @ torch.linalg.lstsq(design, x).solution
    assert 0.05 < (rest.var() / x.var()).item() < 0.7


def test_independent_latents_are_standard_normal():
    n = 40_000
    batch = ContentStyle(rng()).sample(n, rng(1))
    z = torch.cat(list(batch.latents.values()), 1).double()
    eye = torch.eye(16, dtype=torch.float64)
    assert z.mean(0).abs().max() < 5 / math.sqrt(n)
    assert (z.T.cov() - eye).abs().max() < 5 * math.sqrt(2 / n)


def test_dependent_style_has_the_moments_of_its_cause():
    n = 40_000
    world = ContentStyle(rng(), dependence=True)
    c, s = (z.double() for z in world.sample(n, rng(1)).latents.values())
    a, B = (world.parameters()[name].double() for name in ("a", "B"))
    within = B @ B.T + 0.5 * torch.eye(8)
    spread = within.diag().max().item()
    assert (s.mean(0) - a).abs().max() < 5 * math.sqrt(spread / n)
    assert (s.T.cov() - within).abs().max() < 5.5 * spread * math.sqrt(2 / n)
    found = torch.cat([c, s], 1).T.cov()[8:, :8]
    assert (found - B).abs().max() < 5.5 * math.sqrt(2 * spread / n)


def test_content_makes_half_of_the_variance_of_style_on_average():
    shares = [
        ContentStyle(rng(seed), content=2, style=2, dependence=True).parameters()["B"]
        for seed in range(60)
    ]
    mean = torch.stack(shares).square().sum(2).mean().item()
    assert mean == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(120))


@pytest.mark.parametrize("change_prob", [0.0, 0.75, 1.0])
def test_a_view_keeps_the_content_and_moves_a_random_share_of_style(change_prob):
    world = ContentStyle(rng(), change_prob=change_prob)
    batch = world.sample(10_000, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.latents["level_0"], batch.latents["level_0"])
    assert torch.equal(view.labels, batch.labels)
    change = view.latents["level_1"] - batch.latents["level_1"]
    moved = change != 0
    per_style = moved.double().mean(0)
    assert (per_style - change_prob).abs().max() < 0.02
    if change_prob:
        assert change[moved].var().item() == pytest.approx(1, abs=0.03)
        assert not torch.equal(view.images, batch.images)
    else:
        assert torch.equal(view.images, batch.images)


def test_matrices_have_unit_columns_and_a_condition_among_the_best():
    W = invertible(6, rng())
    torch.testing.assert_close(W.norm(dim=0), torch.ones(6, dtype=torch.float64))
    entries = torch.rand(500, 6, 6, generator=rng(1)).double() * 2 - 1
    others = torch.linalg.cond(entries / entries.norm(dim=1, keepdim=True))
    assert torch.linalg.cond(W) <= others.quantile(0.02)


def test_classes_are_the_quadrants_of_the_content():
    batch = ContentStyle(rng()).sample(40_000, rng(1))
    first = batch.latents["level_0"][:200, :2]
    assert batch.labels[:200].tolist() == [
        int(a > 0) + 2 * int(b > 0) for a, b in first
    ]
    share = batch.labels.bincount(minlength=4) / len(batch)
    assert share.sub(0.25).abs().max() < 0.01
    single = ContentStyle(rng(), content=1, style=3)
    assert single.num_classes == 2
    assert single.sample(50, rng()).labels.unique().tolist() == [0, 1]


def test_a_style_that_the_content_causes_makes_another_world():
    one, caused = ContentStyle(rng()), ContentStyle(rng(), dependence=True)
    assert caused.fingerprint() != one.fingerprint()


def test_a_batch_is_what_the_world_declares():
    world = ContentStyle(rng(), content=3, style=6)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 1, 3, 3)
    assert batch.images.dtype == torch.float32
    assert tuple(batch.latents) == world.levels == ("level_0", "level_1")
    assert [z.shape[1] for z in batch.latents.values()] == [3, 6]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"content": 0}, "content is 0, style is 8"),
        ({"style": 0}, "content is 8, style is 0"),
        ({"content": 5, "style": 5}, r"content \+ style is 10.*such as 16"),
        ({"change_prob": 1.5}, "change_prob is 1.5"),
        ({"change_prob": math.nan}, "change_prob is nan"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ContentStyle(rng(), **settings)


def test_images_of_another_world_are_not_redrawn():
    with pytest.raises(ValueError, match="not of this world"):
        ContentStyle(rng()).redraw(Batch(torch.zeros(3, 1, 4, 4)), rng())
