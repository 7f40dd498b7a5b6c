"""Rendered scenes: an object, the part that it has, and the strokes that cover it.

An object is a disc, a square or a triangle of equal area; its part is a round hole on
its axis, so that every object points somewhere; its strokes are bright and dark
stripes. It stands before grey stripes. The part and the strokes are placed, turned and
scaled in the object's frame (u along its axis, v across, in object sizes): each level
acts within the one above it.

Images run from -1 to 1, left to right and top to bottom. Outlines are the zeros of
signed distances, smoothed over one pixel.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets import Batch, Generated

SHAPES = ("disc", "square", "triangle")
# Uniform factors, from the least to the greatest value.
_PLACE = (-0.2, 0.2)  # x and y, in half images
_SIZE = (0.33, 0.45)  # radius of the disc, in half images
_PART_PLACE = (0.25, 0.45)  # u of the hole
_PART_SIZE = (0.25, 0.4)  # its radius, in object sizes
_STROKES = (0.75, 1.2)  # cycles an object size: below Nyquist from 16 pixels on
_STRIPES = (0.75, 1.5)  # cycles a half image
# Inradii of the square and of the triangle with the area of the unit disc.
_SQUARE = math.sqrt(math.pi) / 2
_TRIANGLE = math.sqrt(math.pi / math.sqrt(27))
_MEAN, _STD = 0.36, 0.11  # about those of the pixels, whose colours run from 0 to 1


class Sprites(Generated):
    """Colour images of one object, with all their causes but the stripes' phases.

    - ``level_0``, the object: shape (one-hot, in the order of ``SHAPES``), hue (cos,
      sin), x, y, size, rotation (cos, sin);
    - ``level_1``, its part: place on the axis, size;
    - ``level_2``, its strokes: frequency, orientation (cos, sin of twice the angle);
    - ``background``: frequency and orientation of the stripes.

    The factors are independent and uniform. The class is the shape.

    n images of w x w pixels take O(n w²) time and memory.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(
        self, generator: torch.Generator, *, image_size: int = 32, **settings: Any
    ) -> None:
        """Fix the size.

        Args:
            generator: Draws the training images, if they shall be so many.
            image_size: h = w, in 16..224 pixels.
            settings: Of ``Generated``.

        Raises:
            ValueError: A size out of range; strokes would be finer than pixels.
        """
        super().__init__(generator, **settings)
        if not 16 <= image_size <= 224:
            raise ValueError(f"image_size is {image_size}; choose in 16..224")
        self.channels = 3
        self.image_size = image_size
        self.levels = ("level_0", "level_1", "level_2", "background")
        self.num_classes = len(SHAPES)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh scenes."""
        return self._show(draw_factors(n, generator), generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same shape with the same part; pose, colour, strokes, background anew.

        Raises:
            ValueError: The images are of another world.
        """
        if tuple(batch.latents) != self.levels:
            raise ValueError(
                f"images with latents {tuple(batch.latents)} are no sprites; "
                f"give a batch with {self.levels}"
            )
        fresh = draw_factors(len(batch), generator)
        shape, pose = batch.latents["level_0"][:, :3], fresh["level_0"][:, 3:]
        kept = {
            "level_0": torch.cat([shape, pose], 1),
            "level_1": batch.latents["level_1"],
        }
        return self._show({**fresh, **kept}, generator)

    def _show(self, factors: Mapping[str, Tensor], generator: torch.Generator) -> Batch:
        """The scenes of these factors, their stripes at random phases."""
        n = len(factors["level_0"])
        phases = torch.rand(n, 2, generator=generator, device=generator.device)
        images = render(factors, 2 * math.pi * phases, self.image_size)
        return Batch(images, factors, factors["level_0"][:, :3].argmax(1))


def draw_factors(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """All factors of ``n`` scenes, level by level; see :class:`Sprites`."""
    device = generator.device
    shape = torch.randint(len(SHAPES), (n,), generator=generator, device=device)
    hue, turn, x, y, size, place, hole, strokes, along, stripes, behind = torch.rand(
        11, n, generator=generator, device=device
    )
    pose = [_between(x, _PLACE), _between(y, _PLACE), _between(size, _SIZE)]
    part = [_between(place, _PART_PLACE), _between(hole, _PART_SIZE)]
    return {
        "level_0": torch.stack(
            [*one_hot(shape, len(SHAPES)).T, *_circle(hue), *pose, *_circle(turn)], 1
        ),
        "level_1": torch.stack(part, 1),
        "level_2": torch.stack([_between(strokes, _STROKES), *_circle(along)], 1),
        "background": torch.stack([_between(stripes, _STRIPES), *_circle(behind)], 1),
    }


def render(
    factors: Mapping[str, Float[Tensor, "n _"]],
    phases: Float[Tensor, "n 2"],
    image_size: int,
) -> Float[Tensor, "n 3 h w"]:
    """The images of given factors, of about mean 0 and variance 1.

    Args:
        factors: Level -> values, as :class:`Sprites` declares them.
        phases: Of strokes and background, in radians.
        image_size: h = w, in pixels.
    """
    columns = torch.split(factors["level_0"], [3, 2, 2, 1, 2], 1)
    shape, hue, centre, size, axis = columns
    # Pixel centres: x of the columns, y of the rows.
    points = torch.arange(image_size, device=size.device) * (2 / image_size)
    points = points - (1 - 1 / image_size)
    x = (points - centre[:, :1]) / size
    y = (points - centre[:, 1:]) / size
    cos, sin = axis[:, :1], axis[:, 1:]
    u = (cos * x)[:, None, :] + (sin * y)[:, :, None]
    v = (cos * y)[:, :, None] - (sin * x)[:, None, :]

    pixels = 0.5 * image_size * size[:, :, None]  # an object's size
    place, radius = factors["level_1"][:, :, None, None].unbind(1)
    inside = _cover(object_distance(u, v, shape), pixels)
    inside -= _cover(_hypot(u - place, v).sub_(radius), pixels)
    strokes = _waves(factors["level_2"], phases[:, 0], u, v).mul_(0.2).add_(0.8)
    row, column = points[:, None], points[None, :]
    ground = _waves(factors["background"], phases[:, 1], column, row)
    ground = ground.mul_(0.1 / _STD).add_((0.35 - _MEAN) / _STD)

    thirds = torch.arange(3, device=size.device) * (2 * math.pi / 3)
    colour = 0.55 + 0.4 * hue @ torch.stack([thirds.cos(), thirds.sin()])
    # (1 - inside) ground + inside (strokes colour), in place: it is large.
    light = strokes[:, None] * (colour / _STD)[:, :, None, None]
    light -= _MEAN / _STD
    return light.sub_(ground[:, None]).mul_(inside[:, None]).add_(ground[:, None])


def object_distance(
    u: Float[Tensor, "n h w"], v: Float[Tensor, "n h w"], shape: Float[Tensor, "n 3"]
) -> Float[Tensor, "n h w"]:
    """Signed distance to each object's outline, in object sizes.

    Exact inside and beside edges, too short in front of corners. Objects of size 1 have
    area π. The triangle points along u.

    Args:
        u: Along the object's axis.
        v: Across it.
        shape: One-hot, in the order of ``SHAPES``.
    """
    is_disc, is_square, _ = (shape > 0.5)[:, :, None, None].unbind(1)
    across = v.abs()
    disc = _hypot(u, v).sub_(1)
    square = torch.maximum(u.abs(), across).sub_(_SQUARE)
    slant = across.mul_(math.sqrt(0.75)).add_(u, alpha=0.5)
    triangle = torch.maximum(-u, slant).sub_(_TRIANGLE)
    return torch.where(is_disc, disc, torch.where(is_square, square, triangle))


def _cover(
    distance: Float[Tensor, "n h w"], pixels: Float[Tensor, "n 1 1"]
) -> Float[Tensor, "n h w"]:
    """Share of each pixel inside an outline, in [0, 1]; ``pixels`` to the unit."""
    return (distance * -pixels).add_(0.5).clamp_(0, 1)


def _hypot(u: Float[Tensor, "n h w"], v: Float[Tensor, "n h w"]) -> Tensor:
    """Distance from the origin; ``torch.hypot`` is slow, to avoid overflow."""
    return torch.addcmul(u.square(), v, v).sqrt_()


def _waves(
    texture: Float[Tensor, "n 3"], phase: Float[Tensor, " n"], u: Tensor, v: Tensor
) -> Float[Tensor, "n h w"]:
    """Stripes sin(2π f (u cos φ + v sin φ) + phase), from f and cos, sin of 2φ."""
    frequency, cos, sin = texture.unbind(1)
    angle = torch.atan2(sin, cos) / 2
    along = (2 * math.pi * frequency * angle.cos())[:, None, None]
    aside = (2 * math.pi * frequency * angle.sin())[:, None, None]
    return torch.addcmul(phase[:, None, None] + aside * v, along, u).sin_()


def _between(u: Float[Tensor, " n"], limits: tuple[float, float]) -> Tensor:
    """Numbers in [0, 1), stretched to the limits."""
    low, high = limits
    return low + (high - low) * u


def _circle(u: Float[Tensor, " n"]) -> tuple[Tensor, Tensor]:
    """Cosine and sine of u turns."""
    angle = 2 * math.pi * u
    return angle.cos(), angle.sin()
