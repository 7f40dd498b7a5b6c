"""The files' pictures: decoded once, cut by seed, scaled by the training set."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mae_bench.datasets import _pictures as decode
from mae_bench.datasets.image_folder import ImageFolder
from mae_bench.records.schema import UsageError


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(seed: int, side: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def fill(root: Path, classes: dict[str, int], *, first: int = 0) -> dict[bytes, str]:
    """PNGs in class folders; gives the class of each picture's bytes."""
    known = {}
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = picture(first + len(known))
            Image.fromarray(pixels).save(root / name / f"{i}.png")
            known[pixels.tobytes()] = name
    return known


def pixels_of(world: ImageFolder, images: torch.Tensor) -> list[bytes]:
    """Back to bytes, in the order of a file."""
    mean, std = world._scale
    grey = (images * std + mean).round().to(torch.uint8)
    return [image.permute(1, 2, 0).contiguous().numpy().tobytes() for image in grey]


def sizes(world: ImageFolder) -> tuple[int, ...]:
    return tuple(len(world.split(n, 999, rng())) for n in ("train", "val", "test"))


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Path, dict[bytes, str]]:
    root = tmp_path / "photos"
    return root, fill(root, {"cat": 50, "ant": 30, "bee": 20})


def test_every_file_is_in_one_split_with_its_class_and_its_pixels(photos):
    root, known = photos
    world = ImageFolder(rng(), path=str(root), image_size=8)
    assert world.classes == ("ant", "bee", "cat")
    found = {}
    for name in ("train", "val", "test"):
        batch = world.split(name, 999, rng())
        for pixels, label in zip(
            pixels_of(world, batch.images), batch.labels.tolist(), strict=True
        ):
            assert pixels not in found
            found[pixels] = world.classes[label]
    assert found == known


def test_a_tenth_of_every_class_is_val_and_a_tenth_test(photos):
    world = ImageFolder(rng(), path=str(photos[0]), image_size=8)
    for name, share in (("val", 1), ("test", 1), ("train", 8)):
        labels = world.split(name, 999, rng()).labels
        assert labels.bincount().tolist() == [3 * share, 2 * share, 5 * share]
    assert world.split("train", 20, rng()).labels.unique().numel() == 3  # shuffled


def test_seeds_have_test_images_of_their_own_from_one_decoding(photos, monkeypatch):
    path = str(photos[0])
    one = ImageFolder(rng(0), path=path, image_size=8)
    monkeypatch.setattr(decode, "decode", None)
    two = ImageFolder(rng(1), path=path, image_size=8)
    tests = [set(pixels_of(w, w.split("test", 99, rng()).images)) for w in (one, two)]
    assert tests[0] != tests[1]
    assert one.fingerprint() != two.fingerprint()


def test_a_picture_that_is_there_twice_is_told_of(photos, caplog):
    root, _ = photos
    for i in range(30):
        (root / "ant" / f"{i}.png").write_bytes((root / "ant" / "0.png").read_bytes())
    world = ImageFolder(rng(), path=str(root), image_size=8)
    assert world.duplicates == 3
    assert "ImageFolder: 3 of 10 test images are training images too" in caplog.messages


def test_pictures_of_train_that_were_copied_into_test_are_told_of(tmp_path, caplog):
    fill(tmp_path / "s" / "train", {"a": 60, "b": 60})
    fill(tmp_path / "s" / "test", {"a": 20}, first=0)
    fill(tmp_path / "s" / "test", {"b": 20}, first=900)
    ImageFolder(rng(), path=str(tmp_path / "s"), image_size=8)
    told = next(line for line in caplog.messages if "test images" in line)
    number = int(told.split()[1])
    assert told == f"ImageFolder: {number} of 40 test images are training images too"
    assert 15 <= number <= 20  # of the 20, those that val did not get


def test_links_are_followed_and_what_is_left_out_is_said(photos, tmp_path, caplog):
    root, known = photos
    (root / "cat").rename(tmp_path / "elsewhere")
    (root / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "ant" / "0.png").rename(tmp_path / "0.png")
    (root / "ant" / "0.png").symlink_to(tmp_path / "0.png")
    (root / "bee" / "0.png").rename(root / "bee" / "0.PNG")
    Image.open(root / "bee" / "1.png").save(root / "bee" / "1.webp", lossless=True)
    (root / "bee" / "1.png").unlink()
    for name in ("notes.txt", "more.txt", "README"):
        (root / "bee" / name).write_text("no picture")
    (root / "bee" / "round").symlink_to(root, target_is_directory=True)
    (root / "bee" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(root / "bee" / "pipe.png")
    world = ImageFolder(rng(), path=str(root), image_size=8)
    assert world.classes == ("ant", "bee", "cat")
    images = [world.split(n, 999, rng()).images for n in ("train", "val", "test")]
    assert set(pixels_of(world, torch.cat(images))) == set(known)
    assert caplog.messages == [
        "image_folder: 100 pictures in 3 classes; left out: 2 .txt, 1 broken links, "
        "1 links to a folder that they lie in, 1 pipes or devices, 1 without an ending"
    ]


def test_jpegs_by_another_ending_are_taken(tmp_path):
    for i in range(120):
        folder = tmp_path / "s" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        ending = (".jfif", ".JPG", ".jpe")[i % 3]
        Image.fromarray(picture(i)).save(folder / f"{i}{ending}", "JPEG")
    assert sizes(ImageFolder(rng(), path=str(tmp_path / "s"), image_size=8)) == (
        96,
        12,
        12,
    )


def test_a_folder_that_cannot_be_read_is_named(photos, monkeypatch):
    honest = Path.iterdir

    def closed(self):
        if self.name == "bee":
            raise PermissionError(13, "Permission denied")
        return honest(self)

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(UsageError, match=r"cannot read .*bee: Permission denied; all"):
        ImageFolder(rng(), path=str(photos[0]))


def test_a_class_that_is_in_test_alone_is_named_by_its_folder(tmp_path):
    fill(tmp_path / "s" / "train", {"a": 40, "b": 40})
    fill(tmp_path / "s" / "test", {"a": 10, "dog": 10}, first=100)
    with pytest.raises(UsageError, match="classes that train lacks: 'dog'; move some"):
        ImageFolder(rng(), path=str(tmp_path / "s"), image_size=8)


def test_a_column_of_numbers_is_no_column_of_pictures(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="pip install mae_bench[images]")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"image": list(range(120)), "label": [i % 2 for i in range(120)]})
    parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(UsageError, match=r"cannot read picture 0 .*no rows of pixels"):
        ImageFolder(rng(), path=str(tmp_path / "x.parquet"))


def test_channels_of_the_training_images_have_mean_0_and_variance_1(photos):
    x = ImageFolder(rng(), path=str(photos[0]), image_size=8).split("train", 999, rng())
    x = x.images.double().transpose(0, 1).flatten(1)
    assert x.mean(1).abs().max() < 1e-6
    assert (x.std(1, correction=0) - 1).abs().max() < 1e-6


def test_samples_are_training_images_drawn_evenly(photos):
    world = ImageFolder(rng(), path=str(photos[0]), image_size=8)
    batch = world.sample(8000, rng(1))
    drawn = pixels_of(world, batch.images)
    train = pixels_of(world, world.split("train", 999, rng()).images)
    assert set(drawn) == set(train)
    assert max(drawn.count(p) for p in train) < 100 + 6 * 10
    assert torch.equal(world.sample(9, rng(2)).images, world.sample(9, rng(2)).images)
    assert not torch.equal(
        world.sample(9, rng(2)).labels, world.sample(9, rng(3)).labels
    )


def test_a_batch_is_what_the_world_declares(photos):
    world = ImageFolder(rng(), path=str(photos[0]), image_size=4, grey=True)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, world.channels, 4, 4) == (5, 1, 4, 4)
    assert (batch.images.dtype, batch.labels.dtype) == (torch.float32, torch.int64)
    assert (world.levels, world.num_classes) == ((), 3)


def test_it_is_decoded_once_until_the_files_change(photos, monkeypatch):
    root, _ = photos
    first = ImageFolder(rng(), path=str(root), image_size=8).fingerprint()
    with monkeypatch.context() as patch:
        patch.setattr(decode, "decode", None)
        assert ImageFolder(rng(), path=str(root), image_size=8).fingerprint() == first
    fill(root, {"cat": 1}, first=500)
    os.utime(root / "cat" / "0.png", ns=(1, 1))
    assert ImageFolder(rng(), path=str(root), image_size=8).fingerprint() != first


def test_the_cache_is_beside_the_folder_or_where_it_is_wanted(photos, tmp_path):
    root, _ = photos
    before = sorted(root.rglob("*"))
    beside = ImageFolder(rng(), path=str(root), image_size=8)
    own = ImageFolder(rng(), path=str(root), image_size=8, cache=str(tmp_path / "c"))
    assert beside.fingerprint() == own.fingerprint()
    assert sorted(root.rglob("*")) == before
    assert len(list(tmp_path.glob("c/*/images.npy"))) == 1
    assert len(list(tmp_path.glob(".photos.mae_bench/*/images.npy"))) == 1


def test_folders_for_all_three_splits_are_not_mixed(tmp_path):
    for i, split in enumerate(("train", "valid", "test")):
        fill(tmp_path / "s" / split, {"a": 9 + i, "b": 3}, first=100 * i)
    world = ImageFolder(rng(), path=str(tmp_path / "s"), image_size=8)
    assert sizes(world) == (12, 13, 14)
    assert world.classes == ("a", "b")


@pytest.mark.parametrize("held", ["val", "test"])
def test_one_split_beside_train_is_test_and_a_tenth_of_train_is_val(held, tmp_path):
    fill(tmp_path / "s" / "train", {"a": 80, "b": 20})
    known = fill(tmp_path / "s" / held, {"a": 8, "b": 3}, first=100)
    world = ImageFolder(rng(), path=str(tmp_path / "s"), image_size=8)
    assert sizes(world) == (90, 10, 11)
    test = world.split("test", 99, rng()).images
    assert set(pixels_of(world, test)) == set(known)


def parquet_of(kind: str, pixels: np.ndarray) -> object:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    encoded = {"bytes": stream.getvalue(), "path": None}
    return {"struct": encoded, "bytes": encoded["bytes"], "rows": pixels.tolist()}[kind]


@pytest.mark.parametrize("kind", ["struct", "bytes", "rows"])
def test_parquet_gives_the_same_images_as_the_folder(kind, photos, tmp_path):
    pa = pytest.importorskip("pyarrow", reason="pip install mae_bench[images]")
    parquet = pytest.importorskip("pyarrow.parquet")
    known = photos[1]
    items = sorted(known.items(), key=lambda item: item[1])
    pixels = [np.frombuffer(p, np.uint8).reshape(8, 8, 3) for p, _ in items]
    table = pa.table(
        {
            "image": [parquet_of(kind, p) for p in pixels],
            "label": [["ant", "bee", "cat"].index(c) for _, c in items],
        }
    )
    parquet.write_table(table, tmp_path / "photos.parquet", row_group_size=17)
    path = str(tmp_path / "photos.parquet")
    world = ImageFolder(rng(), path=path, image_size=8)
    assert world.classes == ("0", "1", "2")
    assert sizes(world) == (80, 10, 10)
    batch, names = world.split("train", 999, rng()), ("ant", "bee", "cat")
    for image, label in zip(
        pixels_of(world, batch.images), batch.labels.tolist(), strict=True
    ):
        assert known[image] == names[label]


def test_names_of_parquet_files_give_the_splits(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="pip install mae_bench[images]")
    parquet = pytest.importorskip("pyarrow.parquet")
    for i, (name, n) in enumerate((("train-0", 60), ("train-1", 40), ("test-0", 10))):
        images = [parquet_of("struct", picture(100 * i + k)) for k in range(n)]
        table = pa.table({"img": images, "fine_label": [k % 2 for k in range(n)]})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    world = ImageFolder(rng(), path=str(tmp_path), image_size=8)
    assert sizes(world) == (90, 10, 10)
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "train-2.parquet")
    with pytest.raises(UsageError, match=r"train-2.*columns \['x'\]"):
        ImageFolder(rng(), path=str(tmp_path), image_size=8)
    unlabelled = pa.table({"image": [parquet_of("struct", picture(0))], "label": [-1]})
    parquet.write_table(unlabelled, tmp_path / "train-2.parquet")
    with pytest.raises(UsageError, match=r"train-2.*without a label"):
        ImageFolder(rng(), path=str(tmp_path), image_size=8)
    (tmp_path / "train-2.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match=r"cannot read .*train-2"):
        ImageFolder(rng(), path=str(tmp_path), image_size=8)


def test_hidden_files_and_folders_are_left_alone(photos):
    root, known = photos
    (root / "cat" / "._0.png").write_bytes(b"no picture")
    fill(root / ".trash", {"cat": 2}, first=900)
    assert sum(sizes(ImageFolder(rng(), path=str(root), image_size=8))) == len(known)


def test_a_missing_path_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="no path; set one"):
        ImageFolder(rng())
    with pytest.raises(UsageError, match=r"there is no .*nowhere"):
        ImageFolder(rng(), path=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="no pictures and no Parquet"):
        ImageFolder(rng(), path=str(tmp_path))


def test_what_cannot_be_used_is_named(photos, tmp_path):
    root, _ = photos
    with pytest.raises(UsageError, match="image_size is 0"):
        ImageFolder(rng(), path=str(root), image_size=0)
    (root / "cat" / "0.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"cat/0\.png .*repair or remove"):
        ImageFolder(rng(), path=str(root))
    assert not list(tmp_path.rglob("images.npy"))  # nothing half done
    (root / "cat" / "0.png").rename(root / "0.png")
    with pytest.raises(UsageError, match=r"0\.png lies in no class folder"):
        ImageFolder(rng(), path=str(root))


def test_a_stray_folder_beside_the_splits_is_named(tmp_path):
    for split in ("train", "test", "extra"):
        fill(tmp_path / "s" / split, {"a": 5})
    with pytest.raises(UsageError, match="'extra' stands beside 'train'"):
        ImageFolder(rng(), path=str(tmp_path / "s"))


def test_a_cache_that_cannot_be_written_is_named(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file.*set cache"):
        ImageFolder(rng(), path=str(photos[0]), cache=str(tmp_path / "file"))
