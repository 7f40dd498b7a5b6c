"""Which patches are hidden: units at random, in regular shapes, or always the same."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mae_bench.models.coloured_noise import COLOURS, coloured

Draw = Callable[[int, int, int, torch.Generator], Float[Tensor, "n u"]]


class Masking(NamedTuple):
    """Visible and masked patches of some images, as many in each.

    ``cat(ids_keep, ids_masked)`` is the shuffled order of all l patches.
    """

    ids_keep: Int64[Tensor, "n k"]
    ids_masked: Int64[Tensor, "n m"]

    @property
    def mask(self) -> Float[Tensor, "n l"]:
        """MAE's mask: 0 = keep, 1 = remove."""
        n, patches = (
            len(self.ids_keep),
            self.ids_keep.shape[1] + self.ids_masked.shape[1],
        )
        mask = torch.ones(n, patches, device=self.ids_keep.device)
        return mask.scatter_(1, self.ids_keep, 0.0)

    @property
    def ids_restore(self) -> Int64[Tensor, "n l"]:
        """Where each patch stands in the shuffled order."""
        return torch.cat([self.ids_keep, self.ids_masked], dim=1).argsort(1)


def patches_a_unit(mask_unit: int, patch_size: int) -> int:
    """Side of a mask unit, from pixels to patches.

    Raises:
        ValueError: ``mask_unit`` is no multiple of ``patch_size``.

    >>> patches_a_unit(4, 2)
    2
    """
    if mask_unit < 1 or mask_unit % patch_size:
        raise ValueError(
            f"mask_unit {mask_unit} is no multiple of patch_size {patch_size}; "
            f"choose one, such as {max(1, mask_unit // patch_size) * patch_size}, "
            "or patches that divide it"
        )
    return mask_unit // patch_size


def visible_units(units: int, mask_ratio: float) -> int:
    """Units that stay visible: the whole part of units (1 - mask_ratio), as in MAE.

    Raises:
        ValueError: The ratio is not between 0 and 1, or leaves nothing on one side.

    >>> visible_units(16, 0.75), visible_units(16, 0.9), visible_units(100, 0.9)
    (4, 1, 10)
    """
    if not 0 < mask_ratio < 1:
        raise ValueError(f"mask_ratio {mask_ratio} of {units} units: choose in (0, 1)")
    # A rounding error must not cost a unit: 100 * (1 - 0.9) is 9.999999999999998.
    kept = math.floor(units * (1 - mask_ratio) + 1e-9)
    if kept in (0, units):
        raise ValueError(
            f"mask_ratio {mask_ratio} of {units} units leaves {kept} visible and "
            f"{units - kept} masked; choose a milder ratio or smaller units"
        )
    return kept


def _random(n: int, side: int, kept: int, generator: torch.Generator) -> Tensor:
    """Every set of units is equally likely."""
    del kept
    return torch.rand(n, side**2, generator=generator, device=generator.device)


def _block(n: int, side: int, kept: int, generator: torch.Generator) -> Tensor:
    """One region is masked: a rectangle whose last line may be cut short.

    As in BEiT (2106.08254, Algorithm 1) the aspect ratio is log-uniform in 0.3 to
    1 / 0.3, clamped to the image, and the place uniform; unlike there it is one
    rectangle, the smallest of its height that holds the count. What it holds too many
    is cut from the end of its last column; reflections and a transposition, drawn for
    each image, keep that from being always the same corner.
    """
    masked = side**2 - kept
    draw = torch.rand(6, n, generator=generator, device=generator.device)
    aspect = torch.exp(math.log(0.3) * (1 - 2 * draw[0]))
    height = (masked * aspect).sqrt().round().clamp(math.ceil(masked / side), side)
    width = (masked / height).ceil()
    top = (draw[1] * (side - height + 1)).floor()
    left = (draw[2] * (side - width + 1)).floor()

    flip, flop, turn = (draw[3:, :, None] < 0.5).unbind()
    unit = torch.arange(side**2, device=generator.device)
    a, b = unit // side, unit % side
    a, b = torch.where(flip, side - 1 - a, a), torch.where(flop, side - 1 - b, b)
    rows, columns = torch.where(turn, b, a), torch.where(turn, a, b)
    y, x = rows - top[:, None], columns - left[:, None]
    inside = (y >= 0) & (y < height[:, None]) & (x >= 0) & (x < width[:, None])
    return (inside & (x * height[:, None] + y < masked)).float()


def _grid(n: int, side: int, kept: int, generator: torch.Generator) -> Tensor:
    """One unit of every square cell stays, at the same place of all of them.

    He et al. (2111.06377, Fig. 6) fix that place; here it is drawn for each image, or
    the decoder would never be asked for some patches.

    Raises:
        ValueError: No cell that fills the image leaves ``kept`` units.
    """
    cells = {(side // c) ** 2: c for c in range(2, side + 1) if side % c == 0}
    if kept not in cells:
        ratios = sorted(1 - units / side**2 for units in cells)
        raise ValueError(
            f"mask_family 'grid' cannot keep {kept} of {side**2} units; "
            f"choose mask_ratio from {[float(f'{r:.6g}') for r in ratios]}"
        )
    cell = cells[kept]
    place = torch.randint(cell, (2, n, 1), generator=generator, device=generator.device)
    unit = torch.arange(side**2, device=generator.device)
    here = (unit // side % cell == place[0]) & (unit % side % cell == place[1])
    return (~here).float()


def _aligned(n: int, side: int, kept: int, generator: torch.Generator) -> Tensor:
    """Sub-trees of a quadtree are masked whole, as far as the count allows.

    The quarters of the image are put in random order, those of each quarter likewise,
    and so on: the first units stay.

    Raises:
        ValueError: The side is no power of two.
    """
    del kept
    if side & (side - 1):
        raise ValueError(
            f"mask_family 'aligned' cannot quarter {side} units a side; choose units "
            "such that a power of two of them makes a side"
        )
    place = torch.zeros(n, 1, 1, device=generator.device)
    while place.shape[1] < side:
        here = place.shape[1]
        noise = torch.rand(n, here, here, 4, generator=generator, device=place.device)
        order = noise.argsort(-1).view(n, here, here, 2, 2).transpose(2, 3)
        place = 4 * place.repeat_interleave(2, 1).repeat_interleave(2, 2)
        place = place + order.reshape(n, 2 * here, 2 * here)
    return place.flatten(1)


def _coloured(
    n: int, side: int, kept: int, generator: torch.Generator, *, colour: str
) -> Tensor:
    """Where noise of a colour is lowest the units stay."""
    del kept
    return coloured(colour, n, side, generator)


FAMILIES: Mapping[str, Draw] = MappingProxyType(
    {
        "random": _random,
        "block": _block,
        "grid": _grid,
        "aligned": _aligned,
        **{colour: partial(_coloured, colour=colour) for colour in COLOURS},
    }
)


def _left(row: Tensor, column: Tensor, side: int) -> Tensor:
    """The left half."""
    return (column < side // 2) & (row >= 0)


def _quad(row: Tensor, column: Tensor, side: int) -> Tensor:
    """The first quarter."""
    return (row < side // 2) & (column < side // 2)


def _leaf(row: Tensor, column: Tensor, side: int) -> Tensor:
    """The first unit."""
    del side
    return (row == 0) & (column == 0)


def _column(row: Tensor, column: Tensor, side: int) -> Tensor:
    """The first column, which cuts the quarters that it runs through."""
    del side
    return (column == 0) & (row >= 0)


def _centre(row: Tensor, column: Tensor, side: int) -> Tensor:
    """The four units astride the centre, one of each quarter."""
    low, high = side // 2 - 1, side // 2
    return (row >= low) & (row <= high) & (column >= low) & (column <= high)


# The same units are hidden in every image, whatever the ratio.
FIXED: Mapping[str, Callable[[Tensor, Tensor, int], Tensor]] = MappingProxyType(
    {
        "left": _left,
        "quad": _quad,
        "leaf": _leaf,
        "column": _column,
        "centre": _centre,
    }
)


def fixed_units(
    family: str, side: int, device: torch.device | str = "cpu"
) -> Bool[Tensor, " units"]:
    """Which units of a square grid a fixed mask hides.

    >>> fixed_units("quad", 4).view(4, 4).sum(1).tolist()
    [2, 2, 0, 0]
    """
    unit = torch.arange(side**2, device=device)
    return FIXED[family](unit // side, unit % side, side)


def random_masking(
    n: int,
    grid: int,
    mask_ratio: float,
    generator: torch.Generator,
    *,
    family: str = "random",
    unit: int = 1,
) -> Masking:
    """Draw the masks of n images; all of them keep as many patches.

    The draw is over units, so masks of a given size in pixels are the same for every
    patch size.

    Args:
        n: Images.
        grid: Patches a side.
        mask_ratio: Share of the units that is masked, in (0, 1); see
            ``visible_units``. A fixed mask does not look at it.
        generator: Its device is the masks'.
        family: One of ``FAMILIES`` or, for a fixed mask, of ``FIXED``.
        unit: Side of the square of patches that is masked as one; divides ``grid``.

    Raises:
        ValueError: An unknown family, a unit that does not divide the grid, or a ratio
            that the family cannot give.
    """
    if family not in FAMILIES and family not in FIXED:
        known = [*FAMILIES, *FIXED]
        raise ValueError(f"mask_family {family!r}; choose one of {known}")
    if unit < 1 or grid % unit:
        fit = [u for u in range(1, grid + 1) if grid % u == 0]
        raise ValueError(
            f"a mask unit of {unit} patches a side does not divide a grid of {grid}; "
            f"choose one of {fit}"
        )
    side = grid // unit
    if family in FIXED:
        # Counted on the host: to look at a number of a GPU's is to wait for it.
        kept = int((~fixed_units(family, side)).sum())
        noise = fixed_units(family, side, generator.device).float().expand(n, -1)
        if kept in (0, side**2):
            raise ValueError(
                f"mask_family {family!r} of {side**2} units leaves {kept} visible; "
                "choose smaller units"
            )
    else:
        kept = visible_units(side**2, mask_ratio)
        noise = FAMILIES[family](n, side, kept, generator)
    # The units with the lowest noise stay, as in MAE.
    ids_shuffle = noise.argsort(dim=1, stable=family in FIXED)
    if unit > 1:
        patch = torch.arange(grid**2, device=generator.device)
        patch = patch.view(side, unit, side, unit).transpose(1, 2).reshape(side**2, -1)
        ids_shuffle, kept = patch[ids_shuffle].flatten(1), kept * unit**2
    return Masking(ids_shuffle[:, :kept], ids_shuffle[:, kept:])
