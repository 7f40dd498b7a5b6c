"""What a DataLoader may give, what becomes of it, and what is refused in words."""

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.datasets._own_images import OwnImages, batch_of

WORLD = OwnImages(3, 8)
IMAGES = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 1, 0])


def read(given: object) -> Batch:
    return batch_of(given, WORLD, torch.float32)


def test_it_knows_the_shape_and_cannot_be_sampled() -> None:
    world = OwnImages(1, 28, 10)
    assert (world.channels, world.image_size, world.num_classes) == (1, 28, 10)
    assert (world.levels, WORLD.num_classes) == ((), None)
    assert world.redraw(Batch(IMAGES), torch.Generator()) is None
    with pytest.raises(TypeError, match="cannot be sampled, for their shape alone"):
        world.sample(2, torch.Generator())
    with pytest.raises(TypeError, match="cannot be sampled"):
        world.split("test", 2, torch.Generator())


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (3, -1)])
def test_images_of_nothing_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="make no image; give at least 1"):
        OwnImages(*shape)


@pytest.mark.parametrize("given", [IMAGES, [IMAGES], (IMAGES,)])
def test_images_alone_have_no_labels(given: object) -> None:
    batch = read(given)
    assert batch.images is IMAGES
    assert (batch.labels, batch.latents) == (None, {})


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int32])
def test_pairs_have_labels_of_whole_numbers(kind: type, dtype: torch.dtype) -> None:
    batch = read(kind([IMAGES, LABELS.to(dtype)]))
    assert batch.images is IMAGES
    assert batch.labels is not None
    assert batch.labels.dtype == torch.int64
    assert batch.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    "rest", [["a name"], [torch.rand(5)], [torch.zeros(5, 2, dtype=torch.int64)]]
)
def test_what_stands_beside_the_images_and_is_no_label_is_left_out(rest: list) -> None:
    assert read([IMAGES, *rest]).labels is None


def test_a_batch_is_taken_as_it_is() -> None:
    batch = Batch(IMAGES[:, :1], labels=LABELS)
    assert read(batch) is batch


@pytest.mark.parametrize(
    "images",
    [IMAGES[0], IMAGES[:, :1], IMAGES[:, :, :4], IMAGES[..., :4], IMAGES[None]],
)
def test_images_of_another_shape_are_refused_in_a_sentence(images: Tensor) -> None:
    with pytest.raises(ValueError, match=r"are not \[n, 3, 8, 8\]; reshape") as why:
        read(images)
    assert str(list(images.shape)) in str(why.value)
    assert "\n" not in str(why.value)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float64])
def test_images_of_another_type_than_the_weights_are_refused(dtype) -> None:
    with pytest.raises(TypeError, match=r"do not go with weights of torch\.float32"):
        read(IMAGES.to(dtype))
    assert len(batch_of(IMAGES.double(), WORLD, torch.float64)) == 5


@pytest.mark.parametrize("given", [None, [], {"image": IMAGES}, ["a name", IMAGES]])
def test_what_holds_no_images_is_refused(given: object) -> None:
    with pytest.raises(TypeError, match=r"holds no images; give a tensor"):
        read(given)
