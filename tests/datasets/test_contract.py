"""What holds for every world: a new file is covered by being there."""

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets._finite import FiniteSet
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, UsageError

SMOKE = TIERS["smoke"]
DATASETS = registry.names("datasets")
SPLITS = ("train", "val", "test")
# Worlds without parameters are the same for every seed.
DRAW_NOTHING = {"gaussian_field", "identity", "linear_pair", "sprites"}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fresh(name: str, seed: int = 0) -> Dataset:
    """A world with its defaults; one that needs files of the user's is exempt."""
    try:
        made: Dataset = registry.load("datasets", name)(stream(seed))
    except UsageError as why:
        pytest.skip(str(why))
    return made


world = cache(fresh)


def equal(one: Batch, two: Batch) -> bool:
    pairs = [(one.images, two.images), (one.labels, two.labels)]
    pairs += [(one.latents[level], two.latents[level]) for level in one.latents]
    return all(a is b is None or torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def untouched() -> Iterator[None]:
    """The global generator is as it was."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_world_gives_what_it_declares(name: str) -> None:
    dataset = world(name)
    batch = dataset.sample(16, stream(1))
    size = dataset.image_size
    assert batch.images.shape == (16, dataset.channels, size, size)
    assert batch.images.dtype == torch.float32
    assert 0.05 < batch.images.std() < 20
    assert tuple(batch.latents) == dataset.levels
    for z in batch.latents.values():
        assert (len(z), z.ndim, z.dtype) == (16, 2, torch.float32)
        assert z.isfinite().all()
    assert (batch.labels is None) == (dataset.num_classes is None)
    if batch.labels is not None:
        assert batch.labels.shape == (16,)
        assert batch.labels.dtype == torch.int64
        assert 0 <= batch.labels.min() <= batch.labels.max() < dataset.num_classes
    assert dataset.version >= 1


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_world_depends_on_its_generators_alone(name: str) -> None:
    one, two = world(name), fresh(name)
    assert one.fingerprint() == two.fingerprint()
    assert equal(one.sample(8, stream(1)), two.sample(8, stream(1)))
    images = [one.sample(8, stream(seed)).images for seed in (1, 2)]
    assert not torch.equal(*images)
    for split in SPLITS:
        assert equal(one.split(split, 8, stream(3)), two.split(split, 8, stream(3)))
    one.redraw(one.sample(3, stream()), stream())
    assert one.fingerprint() == two.fingerprint()


@pytest.mark.parametrize("name", DATASETS)
def test_a_worlds_fingerprint_tells_its_parameters_apart(name: str) -> None:
    worlds = [world(name, seed) for seed in (0, 1)]
    one, two = (w.parameters() for w in worlds)
    same = all(torch.equal(one[key], two[key]) for key in one)
    assert same == (name in DRAW_NOTHING)
    prints = [w.fingerprint() for w in worlds]
    assert (prints[0] == prints[1]) == same
    assert torch.equal(*(w.sample(8, stream(1)).images for w in worlds)) == same
    assert all(len(p) == 16 and int(p, 16) >= 0 for p in prints)


def distinct(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


@pytest.mark.parametrize("name", DATASETS)
def test_the_splits_of_a_finite_set_share_no_image_with_each_other_or_training(
    name: str,
) -> None:
    dataset = world(name)
    sizes = (SMOKE.n_train, SMOKE.n_val, SMOKE.n_test)
    train, val, test = (
        dataset.split(split, n, stream(k)).images
        for k, (split, n) in enumerate(zip(SPLITS, sizes, strict=True))
    )
    # A generated world draws; few binary pixels may give one image twice by chance.
    assert not torch.equal(train[:50], val[:50])
    if isinstance(dataset, FiniteSet):
        seen = distinct(dataset.sample(2000, stream(9)).images)
        assert not distinct(val) & distinct(test)
        assert not (seen | distinct(train)) & (distinct(val) | distinct(test))
        assert seen <= distinct(dataset.split("train", 2**31, stream()).images)
        other = world(name, 1).split("test", 2**31, stream()).images
        assert distinct(dataset.split("test", 2**31, stream()).images) != distinct(
            other
        )


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_redrawn_image_keeps_shape_and_class_and_is_another(name: str) -> None:
    dataset = world(name)
    batch = dataset.sample(32, stream(1))
    again = dataset.redraw(batch, stream(2))
    if again is None:
        return
    assert again.images.shape == batch.images.shape
    assert tuple(again.latents) == tuple(batch.latents)
    assert not torch.equal(again.images, batch.images)
    if batch.labels is not None:
        assert torch.equal(again.labels, batch.labels)
