"""Colours have the spectrum that they are named after, and masks the parts."""

import math

import pytest
import torch

from mae_bench.models.coloured_noise import COLOURS, coloured, passed
from mae_bench.models.masking import random_masking


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("colour", COLOURS)
def test_the_spectrum_of_what_is_drawn_is_the_square_of_what_passes(colour):
    noise = coloured(colour, 4000, 8, rng()).view(-1, 8, 8)
    power = torch.fft.fft2(noise).abs().square().mean(0) / 64
    assert torch.allclose(power, passed(colour, 8).square(), atol=0.05)
    assert noise.mean((1, 2)).abs().max() < 1e-6


def test_green_is_loudest_between_red_and_blue():
    # ln 4 / (2 π² (1 - 1/4)) is the square of the frequency at which two Gaussians
    # of widths 1/2 and 1 differ most; of 8 units the nearest frequencies are 2 and 3.
    wanted = 8 * math.sqrt(math.log(4) / (2 * math.pi**2 * 0.75))
    assert 2 < wanted < 3
    line = {colour: passed(colour, 8)[0, :5] for colour in COLOURS}
    assert line["green"].argmax() in (2, 3)
    assert line["red"][1:].argmax() == 0
    assert line["blue"].argmax() == 4


def test_masked_neighbours_are_the_more_the_redder_the_noise():
    def alike(family):
        mask = random_masking(500, 8, 0.75, rng(), family=family).mask.view(-1, 8, 8)
        return sum((mask == mask.roll(1, axis)).float().mean() for axis in (1, 2)) / 2

    red, green, white, blue = map(alike, ("red", "green", "random", "blue"))
    # Of white masks two units are the same with probability 1/16 + 9/16, less a little
    # for the count that is fixed.
    assert white == pytest.approx(0.62, abs=0.01)
    assert red > green > white > blue
