"""The digits are scikit-learn's, cut by seed into parts that share no image."""

import pytest
import torch
from sklearn.datasets import load_digits

from mae_bench.datasets.digits import Digits

SPLITS = {"train": 1079, "val": 359, "test": 359}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bytes_of(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_the_splits_are_disjoint_and_together_all_digits():
    world = Digits(rng())
    parts = {name: world.split(name, 9999, rng()) for name in SPLITS}
    assert {name: len(part) for name, part in parts.items()} == SPLITS
    everything = set.union(*(bytes_of(part.images) for part in parts.values()))
    assert len(everything) == 1797


def test_images_keep_their_labels_and_their_order_of_brightness():
    world = Digits(rng())
    images, labels = load_digits(return_X_y=True)
    known = {tuple(x): y for x, y in zip(images.tolist(), labels.tolist(), strict=True)}
    everything = torch.cat([world.split(name, 9999, rng()).images for name in SPLITS])
    low, high = everything.min(), everything.max()
    for name in SPLITS:
        batch = world.split(name, 9999, rng())
        grey = ((batch.images - low) / (high - low) * 16).round().flatten(1)
        found = [known[tuple(x)] for x in grey.tolist()]
        assert found == batch.labels.tolist()


def test_every_class_has_its_share_of_every_split():
    world = Digits(rng())
    whole = torch.tensor(load_digits().target).bincount()
    for name, size in SPLITS.items():
        count = world.split(name, size, rng()).labels.bincount(minlength=10)
        assert (count - whole * size / 1797).abs().max() < 1.5


def test_training_pixels_have_mean_0_and_variance_1():
    x = Digits(rng()).split("train", 9999, rng()).images.double()
    assert x.mean().item() == pytest.approx(0, abs=1e-6)
    assert x.std(correction=0).item() == pytest.approx(1, abs=1e-6)


def test_a_split_gives_its_first_images_whatever_the_generator():
    world = Digits(rng(5))
    few, many = world.split("val", 40, rng(1)), Digits(rng(5)).split("val", 90, rng(2))
    assert len(few) == 40
    assert torch.equal(few.images, many.images[:40])
    assert torch.equal(few.labels, many.labels[:40])
    assert few.labels.unique().numel() >= 8  # shuffled, not sorted by class


def test_samples_are_training_images_drawn_evenly():
    world = Digits(rng())
    batch = world.sample(20_000, rng(1))
    train = bytes_of(world.split("train", 9999, rng()).images)
    assert bytes_of(batch.images) == train
    _, count = batch.images.flatten(1).unique(dim=0, return_counts=True)
    assert count.max() < 20_000 / 1079 + 6 * (20_000 / 1079) ** 0.5
    assert torch.equal(world.sample(9, rng(2)).images, world.sample(9, rng(2)).images)
    assert not torch.equal(
        world.sample(9, rng(2)).images, world.sample(9, rng(3)).images
    )


def test_a_batch_is_what_the_world_declares():
    world = Digits(rng())
    batch = world.sample(4, rng())
    assert batch.images.shape == (4, world.channels, world.image_size, world.image_size)
    assert (batch.images.dtype, batch.labels.dtype) == (torch.float32, torch.int64)
    assert tuple(batch.latents) == world.levels == ()
    assert world.num_classes == 10
    assert world.redraw(batch, rng()) is None


def test_every_seed_has_test_images_of_its_own_and_no_digit_twice():
    one, two = Digits(rng(0)), Digits(rng(1))
    assert one.fingerprint() != two.fingerprint() == Digits(rng(1)).fingerprint()
    shared = set(one._rows["test"].tolist()) & set(two._rows["test"].tolist())
    assert 30 < len(shared) < 120  # 72 of 359, were they drawn at random
    assert one.duplicates == 0
