"""Its loss is that of listed conditionals; its masks are those of its schedule."""

import math

import pytest
import torch

from mae_bench.datasets.two_modes import TwoModes
from mae_bench.methods.mode_witness import ModeWitness


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> ModeWitness:
    return ModeWitness(TwoModes(rng(), image_size=4), rng(), **settings)


def test_the_loss_is_the_log_of_a_ratio_of_mixtures():
    method = built()
    method.logit.data.fill_(0.3)
    batch = method.dataset.sample(6, rng(1))
    spins, visible = method.prepare(batch, rng(2))
    weight = torch.sigmoid(method.logit)

    def probability(x):
        plus, minus = (((1 + s * 0.6 * x) / 2).prod() for s in (1, -1))
        return weight * plus + (1 - weight) * minus

    total = 0.0
    for x, v in zip(spins, visible, strict=True):
        total -= torch.log(probability(x) / probability(x[v])).item()
    found = method((spins, visible)).item()
    assert found == pytest.approx(total / 6, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"mask_ratio": 0.75}, {4}),
        ({"mask_ratio": 1.0}, {0}),
        ({"uniform": True}, set(range(16))),
        ({"mask_ratio": 0.75, "full_masks": 0.5}, {0, 4}),
    ],
)
def test_the_masks_show_as_many_spins_as_the_schedule_says(settings, counts):
    method = built(**settings)
    _, visible = method.prepare(method.dataset.sample(2000, rng(1)), rng(2))
    number = visible.sum(1)
    assert set(number.tolist()) == counts
    share = number.bincount(minlength=16) / 2000
    expected = 1 / len(counts)
    assert share[list(counts)].tolist() == pytest.approx(
        [expected] * len(counts), abs=0.05
    )
    # Every spin is shown as often as any other.
    each = visible.float().mean(0)
    assert (each - each.mean()).abs().max() < 0.06


def test_from_full_masks_it_learns_the_weight(train):
    method = built(mask_ratio=1.0, lr=1.0, steps=60, batch_size=256)
    train(method)
    assert torch.sigmoid(method.logit).item() == pytest.approx(0.7, abs=0.04)


def test_features_are_the_log_odds_of_the_mode():
    method, batch = built(), TwoModes(rng(), image_size=4).sample(3, rng(1))
    odds = math.log(1.6 / 0.4) * batch.images.flatten(1).sum(1, keepdim=True)
    torch.testing.assert_close(method.features(batch)["mean"], odds)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(3, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    "settings",
    [{"theta": 1.0}, {"mask_ratio": 0.0}, {"mask_ratio": 1.1}, {"full_masks": -0.1}],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        built(**settings)
