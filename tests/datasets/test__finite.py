"""Cuts against counts by hand, scales against numpy, duplicates counted and told."""

import logging

import numpy as np
import pytest
import torch

from mae_bench.datasets import _finite as module
from mae_bench.datasets._finite import (
    FiniteSet,
    assign,
    collect,
    cut,
    moments_of,
    print_of,
    repeated,
    scale_of,
)
from mae_bench.records.schema import UsageError

FREE = -1


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


class Some(FiniteSet):
    """Of the images and labels that it is given."""

    def __init__(self, images, labels, generator, given=None, share=0.2):
        self.settle(collect(images, labels, given), share, generator)


def free(n: int) -> torch.Tensor:
    return torch.full((n,), FREE)


def test_a_cut_takes_a_share_of_each_class_and_leaves_the_rest():
    labels = torch.tensor([0] * 40 + [1] * 7 + [3] * 104)
    order = torch.randperm(len(labels), generator=rng(1))
    parts = cut(order, labels, (0.1, 0.1))
    counts = [labels[rows].bincount(minlength=4).tolist() for rows in parts]
    assert counts == [[4, 1, 0, 10], [4, 1, 0, 10], [32, 5, 0, 84]]
    assert sorted(torch.cat(parts).tolist()) == list(range(len(labels)))
    one, rest = cut(order, labels, (0.25,))
    assert labels[one].bincount().tolist() == [10, 2, 0, 26]
    assert len(one) + len(rest) == len(labels)


def test_seeds_cut_otherwise_and_a_seed_always_the_same_in_no_order():
    labels = torch.arange(200) % 5
    one, again, two = (assign(free(200), labels, 0.1, rng(s)) for s in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert set(one["test"].tolist()) != set(two["test"].tolist())
    assert (one["train"].diff() < 0).float().mean() > 0.3


def test_over_seeds_every_image_is_tested_as_often():
    labels = torch.arange(60) % 3
    count = torch.zeros(60)
    for seed in range(1000):
        count[assign(free(60), labels, 0.2, rng(seed))["test"]] += 1
    # 200 of 1000 cuts, with a deviation of 12.6.
    assert (count - 200).abs().max() < 4.5 * 12.6


def test_the_first_images_of_a_split_are_a_fair_sample_of_it():
    labels = torch.arange(300) % 3
    first = {"train": 60, "val": 20, "test": 20}
    ones = dict.fromkeys(first, 0.0)
    for seed in range(200):
        rows = assign(free(300), labels, 0.2, rng(seed))
        for name, n in first.items():
            of_class = labels[rows[name][:n]].eq(1).sum().item()
            ones[name] += (of_class - n / 3) ** 2
    for name, n in first.items():
        # Hypergeometric: n of the split's 3 n images, a third of them of the class.
        variance = n * (2 / 9) * (2 * n / (3 * n - 1))
        assert ones[name] / 200 == pytest.approx(variance, rel=0.35), name


def test_given_splits_are_not_mixed():
    given = torch.tensor([0] * 50 + [1] * 20 + [2] * 30)
    rows = assign(given, torch.arange(100) % 2, 0.1, rng())
    assert {name: sorted(part.tolist()) for name, part in rows.items()} == {
        "train": list(range(50)),
        "val": list(range(50, 70)),
        "test": list(range(70, 100)),
    }
    alone = torch.tensor([0] * 100 + [1] * 30)
    rows = assign(alone, torch.arange(130) % 2, 0.1, rng())
    assert sorted(rows["test"].tolist()) == list(range(100, 130))
    assert [len(rows[name]) for name in ("train", "val")] == [90, 10]
    other = assign(alone, torch.arange(130) % 2, 0.1, rng(1))
    assert set(rows["val"].tolist()) != set(other["val"].tolist())
    assert not torch.equal(rows["test"], other["test"])  # their order is drawn


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        ([0] * 100 + [1] * 2, FREE, r"images of a class: 2;.*at least 3"),
        ([0] * 100 + [1], FREE, r"images of a class: 1;.*at least 3"),
        ([0] * 40, FREE, r"of 40 images in 1 classes val has 8; a probe needs 10"),
        ([*range(30)] * 3, FREE, r"in 30 classes train has 30; a probe needs 60"),
    ],
)
def test_sets_too_small_are_refused_in_one_line(labels, given, message):
    with pytest.raises(UsageError, match=message) as refused:
        assign(torch.full((len(labels),), given), torch.tensor(labels), 0.2, rng())
    assert "\n" not in str(refused.value)


def test_a_class_of_one_image_in_a_given_train_is_refused():
    given = torch.tensor([0] * 30 + [2] * 20)
    labels = torch.tensor([0] * 29 + [1] + [0] * 20)
    with pytest.raises(UsageError, match=r"images of a class: 1;.*at least 2"):
        assign(given, labels, 0.1, rng())


def test_the_scale_is_that_of_the_training_images():
    images = pixels(0, 150, 3, 4, 4)
    images[:, 2] = 7
    world = Some(images, np.arange(150) % 2, rng())
    train = images[world._rows["train"].numpy()]
    mean, std = world._scale.flatten(1).numpy()
    np.testing.assert_allclose(mean, train.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std[:2], train.std((0, 2, 3))[:2], rtol=1e-6)
    assert std[2] == 1
    sums = torch.from_numpy(np.stack([moments_of(x) for x in train]))
    torch.testing.assert_close(scale_of(sums, 16), world._scale)
    x = world.split("train", 999, rng()).images.double()
    assert x.mean((0, 2, 3)).abs().max() < 1e-6
    assert (x[:, :2].std((0, 2, 3), correction=0) - 1).abs().max() < 1e-6


def test_duplicates_are_counted_and_told_once_in_one_line(caplog):
    images = pixels(0, 150, 1, 4, 4)
    images[100:] = images[:50]
    given = np.repeat([0, 1, 2], 50)
    module.warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            world = Some(images, np.arange(150) % 2, rng(), given)
    assert world.duplicates == 50
    assert caplog.messages == ["Some: 50 of 50 test images are training images too"]
    caplog.clear()
    assert Some(pixels(1, 150, 1, 4, 4), np.arange(150) % 2, rng()).duplicates == 0
    assert not caplog.messages


def test_prints_are_equal_for_equal_pixels_alone():
    images = pixels(0, 300, 1, 4, 4)
    prints = torch.tensor([print_of(image) for image in images])
    assert prints.unique().numel() == 300
    assert print_of(images[3].copy()) == prints[3]
    rows = torch.arange(300)
    assert repeated(prints, rows[:200], rows[150:]) == 50


def test_images_keep_their_labels_and_the_generator_of_a_split_is_not_asked():
    images = pixels(0, 150, 1, 4, 4)
    labels = np.arange(150) % 3
    world = Some(images, labels, rng())
    known = {image.tobytes(): y for image, y in zip(images, labels, strict=True)}
    mean, std = world._scale
    for name in ("train", "val", "test"):
        batch = world.split(name, 99, rng(1))
        again = world.split(name, 5, rng(2))
        assert torch.equal(batch.images[:5], again.images)
        back = (batch.images * std + mean).round().to(torch.uint8).numpy()
        assert [known[x.tobytes()] for x in back] == batch.labels.tolist()
