"""Scenes show the factors that they declare, and nothing else but phases."""

import math
from itertools import product

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.sprites import (
    SHAPES,
    Sprites,
    draw_factors,
    object_distance,
    render,
)

TRIANGLE = math.sqrt(math.pi / math.sqrt(27))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scene(shape=0, hue=0.0, x=0.0, y=0.0, size=0.45, turn=0.0, place=0.3, hole=0.25):
    """One scene's factors, set by hand; angles in radians."""
    one_hot = [float(i == shape) for i in range(3)]
    circle = [math.cos(hue), math.sin(hue)], [math.cos(turn), math.sin(turn)]
    return {
        "level_0": torch.tensor([[*one_hot, *circle[0], x, y, size, *circle[1]]]),
        "level_1": torch.tensor([[place, hole]]),
        "level_2": torch.tensor([[1.0, 1.0, 0.0]]),
        "background": torch.tensor([[1.0, 1.0, 0.0]]),
    }


def silhouette(side=96, **factors) -> torch.Tensor:
    """Where hue tells: the share of each pixel that is the object's."""
    phases = torch.zeros(1, 2)
    red, cyan = (
        render(scene(hue=hue, **factors), phases, side) for hue in (0.0, math.pi)
    )
    # Colours differ by 0.8 (strokes) in red; the strokes' factor is 0.6 to 1.
    return ((red - cyan)[0, 0] / (red - cyan)[0, 0].max()) > 0.5


def slow_inside(shape: str, u: float, v: float) -> bool:
    """Whether a point is in the object, by the polygon's corners."""
    if shape == "disc":
        return math.hypot(u, v) < 1
    corners = 4 if shape == "square" else 3
    start = math.pi / 4 if shape == "square" else 0.0
    # Circumradius of the regular polygon of area π.
    reach = math.sqrt(math.pi / (corners / 2 * math.sin(2 * math.pi / corners)))
    angles = [start + 2 * math.pi * i / corners for i in range(corners)]
    points = [(reach * math.cos(t), reach * math.sin(t)) for t in angles]
    return all(
        (x2 - x1) * (v - y1) - (y2 - y1) * (u - x1) > 0
        for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True)
    )


@pytest.mark.parametrize("shape", range(3))
def test_outlines_are_regular_polygons_and_discs_of_area_pi(shape):
    one_hot = torch.eye(3)[shape][None]
    axis = torch.linspace(-2, 2, 81) + 1e-4
    u, v = torch.meshgrid(axis, axis, indexing="xy")
    d = object_distance(u[None], v[None], one_hot)[0]
    for i, j in product(range(0, 81, 4), repeat=2):
        inside = slow_inside(SHAPES[shape], u[i, j].item(), v[i, j].item())
        assert (d[i, j] < 0).item() == inside
    assert (d < 0).double().mean().item() * 4.05**2 == pytest.approx(math.pi, rel=0.03)
    # A signed distance has slope 1 along and across, corners and centre apart.
    step = (axis[1] - axis[0]).item()
    slope = torch.hypot(d[1:-1, 2:] - d[1:-1, :-2], d[2:, 1:-1] - d[:-2, 1:-1])
    assert slope.median().item() / (2 * step) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", range(3))
def test_an_object_is_where_its_factors_say_with_its_hole_on_its_axis(shape):
    factors = {"x": 0.2, "y": -0.15, "size": 0.5, "turn": 0.7}
    place, hole = 0.4, 0.3
    mask = silhouette(shape=shape, place=place, hole=hole, **factors)
    side, wrong = len(mask), 0
    for i, j in product(range(side), repeat=2):
        px, py = (2 * j + 1) / side - 1 - 0.2, (2 * i + 1) / side - 1 + 0.15
        u = (px * math.cos(0.7) + py * math.sin(0.7)) / 0.5
        v = (py * math.cos(0.7) - px * math.sin(0.7)) / 0.5
        inside = slow_inside(SHAPES[shape], u, v) and math.hypot(u - place, v) > hole
        wrong += inside != mask[i, j].item()
    # Pixels that the outlines cross may fall to either side, being part of both.
    outline = 2 * math.pi * (1.3 + hole) * 0.5 * side / 2
    assert wrong < 0.5 * outline
    assert mask.sum() > 1000


def test_outlines_are_smooth_so_that_small_moves_are_seen():
    phases = torch.zeros(1, 2)
    start = render(scene(), phases, 32)
    changes = [
        (render(scene(x=dx), phases, 32) - start).square().mean().sqrt().item()
        for dx in (0.002, 0.004, 0.008)
    ]
    assert 0 < changes[0] < changes[1] < changes[2] < 0.5
    assert changes[1] / changes[0] == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize("side", [16, 33, 64])
def test_a_larger_image_is_the_same_scene(side):
    factors, phases = draw_factors(20, rng()), torch.rand(20, 2, generator=rng(1)) * 6
    fine = render(factors, phases, 4 * side)
    coarse = render(factors, phases, side)
    pooled = torch.nn.functional.avg_pool2d(fine, 4)
    rest = (coarse - pooled).square().mean() / coarse.var()
    assert rest < (0.1 if side < 30 else 0.03)


@pytest.mark.parametrize("level", ["level_0", "level_1", "level_2", "background"])
def test_every_factor_changes_the_image(level):
    factors, phases = draw_factors(30, rng()), torch.zeros(30, 2)
    images = render(factors, phases, 32)
    other = draw_factors(30, rng(1))
    for column in range(factors[level].shape[1]):
        changed = factors[level].clone()
        changed[:, column] = other[level][:, column]
        if level == "level_0" and column < 3:
            changed[:, :3] = changed[:, :3].roll(1, 1)
        found = render({**factors, level: changed}, phases, 32)
        moved = (found - images).abs().amax((1, 2, 3)) > 0.05
        assert moved.double().mean() > 0.5


def test_parts_and_strokes_turn_with_their_object_and_the_background_does_not():
    phases, images = torch.zeros(1, 2), {}
    for turn, hue in product((0.0, math.pi / 2), (0.0, math.pi)):
        factors = scene(shape=1, turn=turn, hue=hue)
        images[turn > 0, hue > 0] = render(factors, phases, 64)
    # What depends on the hue is the object alone. y runs down: turning x to y is
    # rot90 the other way.
    upright, quarter = (images[k, False] - images[k, True] for k in (False, True))
    torch.testing.assert_close(quarter, upright.rot90(-1, (2, 3)), atol=1e-4, rtol=0)
    assert upright.abs().max() > 1
    before, after = (images[k, False][:, :, :8] for k in (False, True))
    assert torch.equal(before, after)


def test_factors_are_independent_and_within_their_limits():
    factors = draw_factors(20_000, rng())
    level_0 = factors["level_0"]
    assert level_0[:, :3].sum(1).eq(1).all()
    assert level_0[:, :3].mean(0).sub(1 / 3).abs().max() < 0.02
    for level, pair in (
        ("level_0", 3),
        ("level_0", 8),
        ("level_2", 1),
        ("background", 1),
    ):
        on_circle = factors[level][:, pair : pair + 2]
        torch.testing.assert_close(on_circle.norm(dim=1), torch.ones(20_000))
    limits = {
        ("level_0", 5): (-0.2, 0.2),
        ("level_0", 6): (-0.2, 0.2),
        ("level_0", 7): (0.33, 0.45),
        ("level_1", 0): (0.25, 0.45),
        ("level_1", 1): (0.25, 0.4),
        ("level_2", 0): (0.75, 1.2),
        ("background", 0): (0.75, 1.5),
    }
    for (level, column), (low, high) in limits.items():
        z = (factors[level][:, column] - low) / (high - low)
        assert 0 <= z.min() < 0.01
        assert 0.99 < z.max() <= 1.00001
        assert z.mean().item() == pytest.approx(0.5, abs=0.01)
    everything = torch.cat([level_0[:, 1:], *list(factors.values())[1:]], 1)
    related = everything.T.corrcoef() - torch.eye(everything.shape[1])
    related[0, 1] = related[1, 0] = 0  # the one-hot columns exclude each other
    assert related.abs().max() < 5 / math.sqrt(20_000)


def test_the_hole_lies_inside_its_object():
    factors = draw_factors(2000, rng())
    place, hole = factors["level_1"][:, :, None, None].unbind(1)
    t = torch.linspace(0, 2 * math.pi, 50)[None, None]
    u, v = place + hole * t.cos(), hole * t.sin()
    assert object_distance(u, v, factors["level_0"][:, :3]).max() < 0


def test_objects_lie_inside_the_image_whose_border_is_grey():
    images = Sprites(rng()).sample(2000, rng(1)).images
    colour = images.amax(1) - images.amin(1)
    assert colour[:, 1:-1, 1:-1].amax((1, 2)).min() > 1
    border = (colour[:, 0], colour[:, -1], colour[:, :, 0], colour[:, :, -1])
    assert torch.stack(border).max() < 1e-4


def test_pixels_are_of_unit_scale():
    x = Sprites(rng()).sample(500, rng(1)).images
    assert x.mean().item() == pytest.approx(0, abs=0.1)
    assert x.std().item() == pytest.approx(1, abs=0.1)


def test_a_view_keeps_shape_and_part_and_redraws_the_rest():
    world = Sprites(rng(), image_size=16)
    batch = world.sample(50, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    one, two = batch.latents, view.latents
    assert torch.equal(one["level_0"][:, :3], two["level_0"][:, :3])
    assert torch.equal(one["level_1"], two["level_1"])
    assert not (one["level_0"][:, 3:] == two["level_0"][:, 3:]).any()
    for level in ("level_2", "background"):
        assert not (one[level] == two[level]).any()


def test_the_class_is_the_shape():
    batch = Sprites(rng(), image_size=16).sample(300, rng(1))
    assert batch.latents["level_0"][range(300), batch.labels].eq(1).all()
    assert batch.labels.unique().tolist() == [0, 1, 2]


@pytest.mark.parametrize("side", [16, 32, 224])
def test_a_batch_is_what_the_world_declares(side):
    world = Sprites(rng(), image_size=side)
    batch = world.sample(3, rng())
    assert batch.images.shape == (3, 3, side, side)
    assert batch.images.dtype == torch.float32
    assert tuple(batch.latents) == world.levels
    assert [z.shape[1] for z in batch.latents.values()] == [10, 2, 3, 3]


@pytest.mark.parametrize("side", [15, 225])
def test_a_size_out_of_range_is_named(side):
    with pytest.raises(ValueError, match=f"image_size is {side}; choose in"):
        Sprites(rng(), image_size=side)


def test_images_of_another_world_are_not_redrawn():
    with pytest.raises(ValueError, match="are no sprites"):
        Sprites(rng()).redraw(Batch(torch.zeros(3, 3, 32, 32)), rng())
