"""Grids that are not square are seen; holds A12 of what was found by using it."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mae_bench.encoders.facts import Facts
from mae_bench.encoders.grids import front_of, grid_of, oblong, sizes_of
from mae_bench.encoders.layouts import LAYOUTS, BadCheckpoint
from mae_bench.models.vit import sincos_positions

TIMM = LAYOUTS["timm_vit"]


def sincos(rows: int, columns: int, width: int = 64) -> Tensor:
    side = max(rows, columns)
    whole = sincos_positions(width, side).view(side, side, width)
    return whole[:rows, :columns].reshape(rows * columns, width)


def noise(rows: int, width: int = 64, seed: int = 0) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def smooth(rows: int, columns: int) -> Tensor:
    """Places as they are learned: neighbours alike, whatever the direction."""
    field = noise(64, (rows + 8) * (columns + 8)).view(1, 64, rows + 8, columns + 8)
    field = F.avg_pool2d(field, 5, 1, 2)[..., 4:-4, 4:-4]
    return field.flatten(2)[0].T


def named(places: Tensor, **more: Tensor) -> dict[str, Tensor]:
    kernel = torch.zeros(places.shape[-1], 3, 2, 2)
    return {"patch_embed.proj.weight": kernel, "pos_embed": places[None], **more}


CLS = {"cls_token": torch.zeros(1, 1, 64)}
OBLONG = [(8, 32), (32, 8), (4, 9), (9, 4), (2, 8), (7, 28), (9, 16), (16, 64)]


@pytest.mark.parametrize(("rows", "columns"), OBLONG)
@pytest.mark.parametrize("kind", [sincos, smooth])
def test_an_oblong_grid_is_seen_in_its_places_and_refused(kind, rows, columns):
    places = F.pad(kind(rows, columns), (0, 0, 1, 0))
    with pytest.raises(BadCheckpoint, match=f"in rows of {columns}, as it seems, not"):
        sizes_of(TIMM, named(places, **CLS))
    side = round((rows * columns) ** 0.5)
    # Whose word is given is believed.
    assert (
        sizes_of(TIMM, named(places, **CLS), Facts(image_size=2 * side))["depth"] == 0
    )


@pytest.mark.parametrize("side", [1, 2, 3, 4, 6, 8, 12, 14, 16, 24])
@pytest.mark.parametrize("width", [16, 64, 768])
def test_a_square_grid_is_not_taken_for_another(side, width):
    assert oblong(sincos(side, side, width)) == 0
    assert oblong(noise(side * side, width)) == 0
    assert oblong(smooth(side, side)) == 0
    assert oblong(torch.zeros(side * side, width)) == 0


@pytest.mark.parametrize(("rows", "columns"), [(2, 4), (1, 3), (3, 5)])
def test_a_row_of_zeros_is_the_class_tokens(rows, columns):
    places = F.pad(sincos(rows, columns), (0, 0, 1, 0))
    with pytest.raises(BadCheckpoint, match="l a square number"):
        sizes_of(TIMM, named(places, **CLS))


def test_places_may_be_of_tokens_or_of_patches_alone():
    registers = {"register_tokens": torch.zeros(1, 4, 64)}
    cases = [(16, {}), (17, CLS), (16, CLS), (17, CLS | registers)]
    cases += [(16, CLS | registers), (21, CLS | registers), (20, registers)]
    for rows, more in cases:
        found = named(noise(rows), **more)
        assert grid_of(found) == 4
        assert len(front_of(found, 4)) == rows - 16
    assert grid_of(named(noise(17))) == 0


def test_registers_of_another_shape_are_refused():
    found = named(noise(17), **CLS, register_tokens=torch.zeros(64))
    with pytest.raises(BadCheckpoint, match=r"has shape \[64\]; expected \[1, r, 64\]"):
        sizes_of(TIMM, found)


def test_sizes_are_held_against_what_is_said():
    for word in ("patch_size", "image_size", "num_channels", "hidden_size"):
        with pytest.raises(BadCheckpoint, match=f"x says {word} 5; the weights have"):
            sizes_of(TIMM, named(noise(16)), Facts(**{word: 5}, source="x"))
    with pytest.raises(BadCheckpoint, match=r"expected \[1, l, 64\]"):
        sizes_of(TIMM, named(noise(16)) | {"pos_embed": noise(16, 8)[None]})
