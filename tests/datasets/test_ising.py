"""Magnets agree with the exact enumeration of small ones and with known limits."""

import math
from itertools import product

import pytest
import torch

from mae_bench.datasets.ising import Ising, moved, spread, sweep

CRITICAL = math.log(1 + math.sqrt(2)) / 2


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bonds(x: torch.Tensor) -> torch.Tensor:
    """Mean of x_i x_j over neighbours, for each image."""
    pairs = x * x.roll(-1, -1) + x * x.roll(-1, -2)
    return pairs.flatten(1).mean(1) / 2


def exact(w: int, coupling: float) -> tuple[float, float, float]:
    """<x_i x_j> of neighbours, <m²> and <m⁴>, over all 2^(w²) states."""
    bits = torch.arange(2 ** (w * w))[:, None] >> torch.arange(w * w) & 1
    x = (bits * 2.0 - 1).double().view(-1, w, w)
    bond, m = bonds(x), x.mean((1, 2))
    p = torch.softmax(coupling * 2 * w * w * bond, 0)
    return tuple((p * f).sum().item() for f in (bond, m**2, m**4))


def moments(x: torch.Tensor) -> torch.Tensor:
    x = x[:, 0].double()
    m = x.mean((1, 2))
    return torch.stack([bonds(x), m**2, m**4], 1)


@pytest.mark.parametrize("w", [3, 4])
@pytest.mark.parametrize("coupling", [0.0, 0.2, CRITICAL, 0.8])
def test_chains_have_the_moments_of_all_states(w, coupling):
    world = Ising(rng(), image_size=w, coupling=coupling)
    # A training image is one of the bank's 4096 chains; a split has chains of its own.
    bank = moments(world.parameters()["bank"][:, None])
    for found in (bank, moments(world.split("test", 4096, rng(1)).images)):
        error = found.mean(0) - torch.tensor(exact(w, coupling)).double()
        standard = found.std(0) / math.sqrt(4096)
        assert (error.abs() < 4.5 * standard + 1e-9).all()


def test_one_sweep_keeps_the_exact_distribution():
    w, coupling, n = 3, 0.3, 60_000
    bits = torch.arange(512)[:, None] >> torch.arange(9) & 1
    states = (bits * 2 - 1).to(torch.int8).view(-1, w, w)
    p = torch.softmax(coupling * 18 * bonds(states.double()), 0)
    start = states[torch.multinomial(p, n, replacement=True, generator=rng())]
    after = sweep(start, coupling, rng(1))
    index = ((after.flatten(1) > 0) * 2 ** torch.arange(9)).sum(1)
    count = index.bincount(minlength=512).double()
    chi2 = ((count - n * p) ** 2 / (n * p)).sum().item()
    assert abs(chi2 - 511) < 5 * math.sqrt(2 * 511)


def test_more_sweeps_change_nothing_at_the_critical_coupling():
    few, many = (
        Ising(rng(i), coupling=CRITICAL, sweeps=s) for i, s in ((0, 30), (1, 60))
    )
    a, b = (moments(world.parameters()["bank"][:, None]) for world in (few, many))
    standard = torch.sqrt((a.var(0) + b.var(0)) / 4096)
    assert ((a.mean(0) - b.mean(0)).abs() < 4.5 * standard).all()


def test_correlations_of_hot_magnets_fall_like_tanh_of_the_coupling():
    # Leading order: tanh(J)^d times the number of shortest paths, C(dx + dy, dx).
    J, n = 0.1, 40_000
    x = Ising(rng(), coupling=J, sweeps=6).split("train", n, rng(1)).images[:, 0]
    t = math.tanh(J)
    for dy, dx in ((0, 1), (0, 2), (1, 1)):
        pairs = x * x.roll((-dy, -dx), (1, 2))
        expected = math.comb(dx + dy, dx) * t ** (dx + dy)
        standard = 1 / math.sqrt(n * 64)
        found = pairs.mean().item()
        assert found == pytest.approx(
            expected, abs=5 * standard + 6 * t ** (dx + dy + 2)
        )


def test_cold_magnets_have_the_magnetisation_of_the_infinite_one():
    # Yang 1952: m = (1 - sinh(2J)^-4)^(1/8) above J_c, 0 below.
    for J in (0.55, 0.7):
        m = Ising(rng(), coupling=J).sample(4000, rng(1)).latents["level_0"]
        expected = (1 - math.sinh(2 * J) ** -4) ** (1 / 8)
        assert m.abs().mean().item() == pytest.approx(expected, abs=0.015)
    hot = Ising(rng(), coupling=0.1, sweeps=6).sample(4000, rng(1)).latents["level_0"]
    assert hot.abs().mean() < 0.15


def test_training_images_have_no_preferred_sign_place_or_direction():
    world = Ising(rng(), coupling=0.6, sweeps=1)
    bank = world.parameters()["bank"]
    bank[:, :4] = 1
    bank[:, 4:] = -1
    x = world.sample(20_000, rng(1)).images[:, 0]
    assert x.mean(0).abs().max() < 5 / math.sqrt(20_000)
    beside, below = (x * x.roll(-1, axis) for axis in (2, 1))
    assert beside.mean().item() == pytest.approx(below.mean().item(), abs=0.02)


def test_moves_are_all_those_of_the_torus_and_equally_likely():
    # An image without symmetry has 8 w² distinct copies.
    image = torch.tensor([[1, 2, 0], [3, 0, 0], [0, 0, 0]])
    known = set()
    for flip_y, flip_x, swap in product((False, True), repeat=3):
        y = image.flip(0) if flip_y else image
        y = y.flip(1) if flip_x else y
        y = y.T if swap else y
        for shift in product(range(3), repeat=2):
            known.add(tuple(y.roll(shift, (0, 1)).flatten().tolist()))
    n = 7200
    copies = moved(image.expand(n, 3, 3), rng()).flatten(1)
    found, count = copies.unique(dim=0, return_counts=True)
    assert {tuple(row) for row in found.tolist()} == known
    assert len(known) == 72
    assert (count - n / 72).abs().max() < 5 * math.sqrt(n / 72)


def test_the_greatest_number_spreads_over_its_cluster_and_no_further():
    w = 5
    right, below = (torch.rand(40, w, w, generator=rng(i)) < 0.45 for i in range(2))
    numbers = torch.stack([torch.randperm(w * w, generator=rng(i)) for i in range(40)])
    numbers = numbers.view(-1, w, w).to(torch.int16)
    found = spread(numbers, right, below)
    for image in range(40):
        best = numbers[image].clone()
        for _ in range(w * w):  # relax every bond, over and over
            for i, j in product(range(w), repeat=2):
                for bond, k, m in ((right, i, (j + 1) % w), (below, (i + 1) % w, j)):
                    if bond[image, i, j]:
                        best[i, j] = best[k, m] = max(best[i, j], best[k, m])
            if torch.equal(best, found[image]):
                break
        assert torch.equal(best, found[image])
        assert torch.equal(
            spread(best[None], right[image][None], below[image][None])[0], best
        )


def test_latents_and_classes_are_the_magnetisation_and_its_sign():
    batch = Ising(rng(), coupling=0.2, sweeps=5).sample(4000, rng(1))
    m = batch.latents["level_0"][:, 0]
    torch.testing.assert_close(m, batch.images.mean((1, 2, 3)))
    assert torch.equal(batch.labels[m != 0], (m[m != 0] > 0).long())
    ties = m == 0
    assert ties.any()
    assert torch.equal(batch.labels[ties], (batch.images[ties, 0, 0, 0] > 0).long())
    assert batch.labels.double().mean().item() == pytest.approx(0.5, abs=0.04)


def test_a_view_is_the_same_magnet_moved():
    world = Ising(rng(), sweeps=5)
    batch = world.sample(200, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    assert torch.equal(view.images.sum((1, 2, 3)), batch.images.sum((1, 2, 3)))
    x, y = batch.images[:, 0], view.images[:, 0]
    torch.testing.assert_close(bonds(x), bonds(y))
    assert (x != y).any((1, 2)).double().mean() > 0.8


def test_splits_hold_fresh_chains():
    world = Ising(rng(), sweeps=5)
    val, test = (
        world.split(name, 300, rng(i)) for i, name in enumerate(("val", "test"))
    )
    assert len(val) == 300
    pool = {x.numpy().tobytes() for x in world.parameters()["bank"].float()}
    for batch in (val, test):
        shared = sum(x[0].numpy().tobytes() in pool for x in batch.images)
        assert shared < 30
    assert not torch.equal(val.images, test.images)


def test_a_batch_is_what_the_world_declares():
    world = Ising(rng(), image_size=5, sweeps=2)
    for batch in (world.sample(6, rng()), world.split("val", 6, rng())):
        assert batch.images.shape == (6, 1, 5, 5)
        assert batch.images.dtype == batch.latents["level_0"].dtype == torch.float32
        assert batch.images.abs().unique().tolist() == [1.0]
        assert tuple(batch.latents) == world.levels


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 2}, r"image_size is 2; choose in 3\.\.32"),
        ({"image_size": 33}, "image_size is 33"),
        ({"coupling": -0.1}, "coupling is -0.1"),
        ({"coupling": math.nan}, "coupling is nan"),
        ({"sweeps": 0}, "sweeps is 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Ising(rng(), **settings)
