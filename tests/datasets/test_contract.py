"""What holds for every world: a new file is covered by being there."""

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, Generated
from mae_bench.datasets._finite import FiniteSet
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, UsageError

SMOKE = TIERS["smoke"]
DATASETS = registry.names("datasets")
SPLITS = ("train", "val", "test")
# Worlds without parameters are the same for every seed.
DRAW_NOTHING = {
    "ar_chain",
    "gaussian_field",
    "identity",
    "linear_pair",
    "sprites",
    "two_modes",
}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fresh(name: str, seed: int = 0, **settings: int) -> Dataset:
    """A world at its defaults but for some; one that needs files is exempt."""
    try:
        made: Dataset = registry.load("datasets", name)(stream(seed), **settings)
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


GENERATED = [
    name for name in DATASETS if issubclass(registry.load("datasets", name), Generated)
]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_world_can_be_told_to_train_on_so_many_images(name: str) -> None:
    few, again, other = (fresh(name, seed, train_images=7) for seed in (0, 0, 5))
    batch = few.sample(300, stream(1))
    pool = distinct(batch.images)
    # Seven spins, symbols or signs may be alike by chance.
    assert 5 <= len(pool) <= 7
    assert equal(batch, again.sample(300, stream(1)))
    assert distinct(few.sample(300, stream(2)).images) == pool
    assert pool != distinct(other.sample(300, stream()).images)
    # The images keep their own causes.
    for image in batch.images[:20]:
        same = (batch.images == image).flatten(1).all(1)
        for z in batch.latents.values():
            assert (z[same] == z[same][0]).all()
    # World and probes are those of the unlimited one.
    unlimited = world(name)
    assert few.fingerprint() == unlimited.fingerprint()
    for split in SPLITS:
        one, two = (w.split(split, 50, stream(3)) for w in (few, unlimited))
        assert equal(one, two)
    # Fresh ones are others; but that all spins of a magnet agree is no rare thing.
    fresh_ones = distinct(few.split("train", 20, stream(3)).images)
    assert name == "ising_phases" or not pool & fresh_ones


@pytest.mark.parametrize("name", GENERATED)
def test_without_a_limit_training_images_are_fresh(name: str) -> None:
    dataset = world(name)
    drawn, fresh_ones = (draw(50, stream(1)) for draw in (dataset.sample, dataset.draw))
    assert equal(drawn, fresh_ones)
    with pytest.raises(ValueError, match="train_images is -1; choose 0 or more"):
        fresh(name, train_images=-1)


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
