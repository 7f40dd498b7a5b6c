"""Masks: exact counts, shapes of the families, and refusals."""

import math
from collections import Counter

import pytest
import torch

from mae_bench.models.masking import (
    Masking,
    patches_a_unit,
    random_masking,
    visible_units,
)

CASES = [
    ("random", 4, 1, 0.75),
    ("random", 4, 1, 0.1),
    ("random", 4, 2, 0.5),
    ("random", 7, 1, 0.9),
    ("block", 4, 1, 0.75),
    ("block", 8, 1, 0.4),
    ("block", 8, 2, 0.9),
    ("grid", 4, 1, 0.75),
    ("grid", 8, 2, 0.75),
    ("grid", 6, 1, 8 / 9),
    ("green", 8, 1, 0.75),
    ("red", 8, 2, 0.5),
]


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def squares(masking: Masking) -> list[list[list[bool]]]:
    side = round(masking.mask.shape[1] ** 0.5)
    return (masking.mask.view(-1, side, side) == 1).tolist()


@pytest.mark.parametrize(("family", "grid", "unit", "ratio"), CASES)
def test_every_image_keeps_the_same_exact_number(family, grid, unit, ratio):
    masking = random_masking(50, grid, ratio, stream(), family=family, unit=unit)
    units = (grid // unit) ** 2
    kept = int(units * (1 - ratio) + 1e-9) * unit**2
    assert masking.ids_keep.shape == (50, kept)
    assert masking.ids_masked.shape == (50, grid**2 - kept)
    shuffled = torch.cat([masking.ids_keep, masking.ids_masked], 1)
    assert torch.equal(shuffled.sort(1).values, torch.arange(grid**2).expand(50, -1))


@pytest.mark.parametrize(("family", "grid", "unit", "ratio"), CASES)
def test_units_are_masked_as_one(family, grid, unit, ratio):
    masking = random_masking(20, grid, ratio, stream(), family=family, unit=unit)
    for square in squares(masking):
        for row in range(grid):
            for column in range(grid):
                corner = square[row - row % unit][column - column % unit]
                assert square[row][column] == corner


def test_mask_is_one_where_removed_and_ids_restore_undoes_the_shuffle():
    masking = random_masking(6, 4, 0.6, stream())
    for n in range(6):
        kept, masked = masking.ids_keep[n].tolist(), masking.ids_masked[n].tolist()
        for patch in range(16):
            assert masking.mask[n, patch] == float(patch in masked)
            assert [*kept, *masked][masking.ids_restore[n, patch]] == patch


def test_random_is_maes_argsort_of_noise():
    masking = random_masking(5, 4, 0.75, stream(3))
    noise = torch.rand(5, 16, generator=stream(3))
    for n in range(5):
        order = sorted(range(16), key=lambda patch, n=n: noise[n, patch].item())
        assert masking.ids_keep[n].tolist() == order[:4]
        assert masking.ids_masked[n].tolist() == order[4:]


@pytest.mark.parametrize("family", ["random", "grid"])
def test_every_patch_is_masked_as_often_as_the_ratio_says(family):
    masking = random_masking(4000, 4, 0.75, stream(), family=family)
    five_sigma = 5 * (0.75 * 0.25 / 4000) ** 0.5
    assert (masking.mask.mean(0) - 0.75).abs().max() < five_sigma


def test_a_block_is_one_region_that_fills_its_rectangle_but_for_one_line():
    for ratio in (0.1, 0.25, 0.5, 0.75, 0.9):
        masking = random_masking(40, 6, ratio, stream(), family="block")
        for square in squares(masking):
            region = {(i, j) for i in range(6) for j in range(6) if square[i][j]}
            reached, border = set(), [next(iter(region))]
            while border:
                i, j = border.pop()
                reached.add((i, j))
                around = {(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)}
                border += list((around & region) - reached)
            assert reached == region
            height = max(i for i, _ in region) - min(i for i, _ in region) + 1
            width = max(j for _, j in region) - min(j for _, j in region) + 1
            assert height * width - len(region) < max(height, width)


def slow_block(side: int, masked: int, draw: list[float]) -> set[tuple[int, int]]:
    """BEiT's rectangle, filled column by column; then turned."""
    aspect = math.exp(math.log(0.3) + draw[0] * (math.log(1 / 0.3) - math.log(0.3)))
    height = round(math.sqrt(masked * aspect))
    height = min(max(height, math.ceil(masked / side)), side)
    top = int(draw[1] * (side - height + 1))
    left = int(draw[2] * (side - math.ceil(masked / height) + 1))
    found = set()
    for k in range(masked):
        i, j = top + k % height, left + k // height
        if draw[5] < 0.5:
            i, j = j, i
        i = side - 1 - i if draw[3] < 0.5 else i
        j = side - 1 - j if draw[4] < 0.5 else j
        found.add((i, j))
    return found


@pytest.mark.parametrize(("side", "ratio"), [(6, 0.1), (6, 0.5), (8, 0.75), (7, 0.8)])
def test_a_block_is_beits_rectangle_cut_to_the_count(side: int, ratio: float) -> None:
    masking = random_masking(60, side, ratio, stream(4), family="block")
    draws = torch.rand(6, 60, generator=stream(4)).T.tolist()
    heights = set()
    for square, draw in zip(squares(masking), draws, strict=True):
        found = {(i, j) for i in range(side) for j in range(side) if square[i][j]}
        assert found == slow_block(side, len(found), draw)
        heights.add(len({i for i, _ in found}))
    assert len(heights) > 1


def test_blocks_move_and_favour_no_direction():
    mask = random_masking(4000, 4, 0.5, stream(), family="block").mask.view(-1, 4, 4)
    often = mask.mean(0)
    assert often.min() > 0.1
    assert often.max() < 0.9
    for turned in (often.flip(0), often.flip(1), often.T):
        assert (often - turned).abs().max() < 0.06


def test_blocks_are_cut_short_in_a_row_as_often_as_in_a_column():
    mask = random_masking(2000, 5, 0.5, stream(), family="block").mask.view(-1, 5, 5)
    rows, columns = (mask.sum(axis).sort(1).values.tolist() for axis in (2, 1))
    shapes = Counter(zip(map(tuple, rows), map(tuple, columns), strict=True))
    for (a, b), often in shapes.items():
        assert abs(often - shapes[b, a]) <= 5 * (often + shapes[b, a]) ** 0.5


def test_a_grid_keeps_one_unit_of_every_cell_at_the_same_place():
    masking = random_masking(200, 6, 8 / 9, stream(), family="grid")
    places = set()
    for square in squares(masking):
        kept = [(i, j) for i in range(6) for j in range(6) if not square[i][j]]
        i, j = kept[0]
        assert kept == [(i, j), (i, j + 3), (i + 3, j), (i + 3, j + 3)]
        places.add((i, j))
    assert len(places) == 9


@pytest.mark.parametrize("family", ["random", "block", "grid"])
def test_masks_in_pixels_do_not_depend_on_the_patch_size(family):
    image_size, mask_unit = 16, 4
    pixels = []
    for patch_size in (1, 2, 4):
        masking = random_masking(
            5,
            image_size // patch_size,
            0.75,
            stream(1),
            family=family,
            unit=patches_a_unit(mask_unit, patch_size),
        )
        side = image_size // patch_size
        square = masking.mask.view(5, side, side)
        pixels.append(
            square.repeat_interleave(patch_size, 1).repeat_interleave(patch_size, 2)
        )
    assert torch.equal(pixels[0], pixels[1])
    assert torch.equal(pixels[0], pixels[2])


@pytest.mark.parametrize("family", ["random", "block", "grid"])
def test_masks_come_from_the_generator_alone(family):
    before = torch.random.get_rng_state()
    one = random_masking(9, 4, 0.75, stream(1), family=family).mask
    two = random_masking(9, 4, 0.75, stream(1), family=family).mask
    other = random_masking(9, 4, 0.75, stream(2), family=family).mask
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_ratios_outside_the_open_interval_are_refused(ratio):
    with pytest.raises(ValueError, match=rf"mask_ratio {ratio} of 16 units"):
        random_masking(2, 4, ratio, stream())


def test_a_ratio_that_leaves_nothing_on_one_side_is_refused():
    with pytest.raises(ValueError, match=r"0\.95 of 16 units leaves 0 visible"):
        random_masking(2, 4, 0.95, stream())
    with pytest.raises(ValueError, match="of 16 units leaves 16 visible and 0 masked"):
        random_masking(2, 4, 1e-12, stream())
    with pytest.raises(ValueError, match="of 1 units leaves 0 visible and 1 masked"):
        random_masking(2, 4, 0.5, stream(), unit=4)


def test_no_unit_is_lost_to_rounding():
    for units in range(2, 200):
        for kept in range(1, units):
            assert visible_units(units, 1 - kept / units) == kept


def test_a_grid_names_the_ratios_that_it_can_give():
    with pytest.raises(ValueError, match=r"keep 8 of 16 .* \[0\.75, 0\.9375\]"):
        random_masking(2, 4, 0.5, stream(), family="grid")


def test_units_and_families_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"unit of 3 .* grid of 4; .* \[1, 2, 4\]"):
        random_masking(2, 4, 0.5, stream(), unit=3)
    with pytest.raises(ValueError, match=r"'stripes'; choose one of .*'random'"):
        random_masking(2, 4, 0.5, stream(), family="stripes")


@pytest.mark.parametrize(("mask_unit", "choice"), [(3, 2), (1, 2), (5, 4), (-2, 2)])
def test_a_mask_unit_that_cuts_patches_is_refused(mask_unit, choice):
    message = f"mask_unit {mask_unit} is no multiple of patch_size 2; .* as {choice},"
    with pytest.raises(ValueError, match=message):
        patches_a_unit(mask_unit, 2)


@pytest.mark.parametrize(
    ("family", "hidden"),
    [
        ("left", "1100 1100 1100 1100"),
        ("quad", "1100 1100 0000 0000"),
        ("leaf", "1000 0000 0000 0000"),
        ("column", "1000 1000 1000 1000"),
        ("centre", "0000 0110 0110 0000"),
    ],
)
def test_a_fixed_mask_hides_the_same_units_in_every_image_whatever_the_ratio(
    family: str, hidden: str
) -> None:
    expected = torch.tensor([float(v) for v in hidden.replace(" ", "")])
    for ratio in (0.1, 0.9):
        masking = random_masking(
            3, 4, ratio, torch.Generator().manual_seed(0), family=family
        )
        assert torch.equal(masking.mask, expected.expand(3, -1))
        assert torch.equal(masking.ids_keep[0], masking.ids_keep[0].sort().values)


def test_a_fixed_mask_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="choose smaller units"):
        random_masking(
            1, 4, 0.5, torch.Generator().manual_seed(0), family="leaf", unit=4
        )


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_an_aligned_mask_is_made_of_whole_quarters(ratio: float) -> None:
    stream = torch.Generator().manual_seed(0)
    masks = random_masking(400, 4, ratio, stream, family="aligned").mask
    quarters = masks.view(-1, 2, 2, 2, 2).transpose(2, 3).reshape(-1, 4, 4).sum(-1)
    assert set(quarters.unique().tolist()) == {0.0, 4.0}
    # Every quarter is hidden as often as any other.
    assert (quarters / 4).mean(0).tolist() == pytest.approx([ratio] * 4, abs=0.08)


def test_an_aligned_mask_breaks_at_most_one_subtree_of_each_size() -> None:
    stream = torch.Generator().manual_seed(0)
    masks = random_masking(200, 8, 0.29, stream, family="aligned").mask.view(-1, 8, 8)
    for block in (2, 4):
        inside = masks.unfold(1, block, block).unfold(2, block, block).mean((3, 4))
        assert ((inside > 0) & (inside < 1)).sum((1, 2)).max() == 1


def test_aligned_masks_need_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="cannot quarter 6 units"):
        random_masking(1, 6, 0.5, torch.Generator().manual_seed(0), family="aligned")


def test_a_block_of_one_unit_lies_anywhere_as_often() -> None:
    mask = random_masking(5000, 5, 0.04, stream(), family="block").mask
    assert mask.sum(1).unique().tolist() == [1]
    often = mask.mean(0)
    # Of 5,000 a cell has 200, with a deviation of 14.
    assert ((often - 0.04).abs() < 5 * 14 / 5000).all()


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_the_ends_of_the_ratio_are_no_ratios(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"choose in \(0, 1\)"):
        visible_units(16, ratio)
