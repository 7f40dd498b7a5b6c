"""Your own pictures: a folder a class, or Parquet files; decoded once, then mapped."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, SplitName
from mae_bench.datasets._pictures import CHUNK, NAMES, Pictures, need, write_once
from mae_bench.records.schema import UsageError, digest

SPLITS = {"train": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation"), "val"
)
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".tif", ".tiff"}
)
COLUMNS = (("image", "img"), ("label", "fine_label"))
RESIDENT = 2**32  # bytes: a GPU keeps a split that is no larger


class Decoded(NamedTuple):
    """A split as it lies on disk or on a GPU."""

    images: UInt8[Tensor, "n c h w"]
    labels: Int64[Tensor, " n"]


class PictureSet(Dataset):
    """Pictures with classes, all decoded once: mapped from disk, or kept on a GPU.

    The shorter side of a picture is scaled to ``image_size``, the centre cut out.
    Channels are scaled to mean 0 and variance 1 over the training images.

    Attributes:
        classes: What each label means.
    """

    version: ClassVar[int] = 1
    classes: tuple[str, ...]

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 32,
        grey: bool = False,
        cache: str = "",
    ) -> None:
        """Note what is wanted; ``open`` gets it.

        Args:
            generator: Unused: there is nothing to draw.
            image_size: Side in pixels.
            grey: One channel instead of three.
            cache: Folder of the decoded images; one of the set's own if empty.

        Raises:
            UsageError: No such size.
        """
        del generator
        if image_size < 1:
            raise UsageError(f"image_size is {image_size}; choose at least 1")
        self.channels = 1 if grey else 3
        self.image_size = image_size
        self.levels = ()
        self._cache = cache

    def open(self, identity: str, read: Callable[[], Pictures], home: Path) -> None:
        """Map the decoded images; ``read`` and decode them if they are not there.

        Args:
            identity: Names the pictures: other ones, another identity.
            read: Gives the pictures.
            home: Folder of all decoded images, unless the user has named one.
        """
        home = Path(self._cache or home).expanduser()
        shape = (self.channels, self.image_size, self.image_size)
        grey = self.channels == 1
        folder = home / digest(identity, PictureSet.version, self.image_size, grey)
        if not folder.exists():
            write_once(folder, read, shape)
        facts = json.loads((folder / "facts.json").read_text())
        self.classes = tuple(facts["classes"])
        self.num_classes = len(self.classes)
        self._sha256 = bytes.fromhex(facts["sha256"])
        self._scale = torch.tensor(facts["scale"]).view(2, -1, 1, 1)
        self._splits = {
            name: Decoded(
                mapped(folder / f"{name}.npy"), mapped(folder / f"{name}_y.npy")
            )
            for name in NAMES
        }

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` training images, drawn with replacement."""
        device, size = generator.device, len(self._splits["train"].labels)
        rows = torch.randint(size, (n,), generator=generator, device=device)
        return self._batch("train", rows)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """The first ``n`` images of a split, or all of it where it holds fewer."""
        n = min(n, len(self._splits[name].labels))
        return self._batch(name, torch.arange(n, device=generator.device))

    def parameters(self) -> Mapping[str, Tensor]:
        """SHA-256 of all images and labels, since they may be too many to look at."""
        return {"sha256": torch.tensor(list(self._sha256), dtype=torch.uint8)}

    def _batch(self, name: SplitName, rows: Int64[Tensor, " n"]) -> Batch:
        device = rows.device
        if device.type == "cuda" and self._splits[name].images.nbytes <= RESIDENT:
            self._splits[name] = Decoded(*(t.to(device) for t in self._splits[name]))
        self._scale = self._scale.to(device)
        split, (mean, std) = self._splits[name], self._scale
        index = rows.to(split.images.device)
        images = split.images[index].to(device).float().sub_(mean).div_(std)
        return Batch(images, labels=split.labels[index].to(device))


class ImageFolder(PictureSet):
    """Square images from ``path/class/*.png`` (or another format), or ``*.parquet``.

    A tenth of every class is ``val``, a tenth ``test``, once and for all. Folders
    ``train/class`` and ``val/class`` or ``test/class`` (files ``train-*.parquet`` ...)
    are taken as they are; if only one of the two is there it is ``test``, and a tenth
    of ``train`` is ``val``.

    Parquet needs columns ``image`` (or ``img``) and ``label`` (or ``fine_label``).
    """

    def __init__(
        self, generator: torch.Generator, *, path: str = "", **settings: Any
    ) -> None:
        """Find the pictures, and decode them unless that was done before.

        Args:
            generator: Unused: there is nothing to draw.
            path: The folder, or one Parquet file.
            settings: Of ``PictureSet``. The decoded images are kept in a hidden folder
                beside ``path`` if ``cache`` is empty, and reused while no file's name,
                size or date changes.

        Raises:
            UsageError: No path, no pictures, one that cannot be read, a class of too
                few, or a cache that cannot be written.
        """
        super().__init__(generator, **settings)
        if not path:
            raise UsageError(
                'image_folder has no path; set one, such as path="photos" with a '
                "folder for each class"
            )
        root = Path(path).expanduser().resolve()
        files = listing(root)
        marks = [(str(f).removeprefix(str(root)), f.stat()) for f in files]
        identity = digest([(name, s.st_size, s.st_mtime_ns) for name, s in marks])
        parquet = files[0].suffix.lower() == ".parquet"
        read = partial(of_parquet if parquet else of_folders, root, files)
        self.open(identity, read, root.with_name(f".{root.name}.mae_bench"))


def listing(root: Path) -> list[Path]:
    """Parquet files if there are any, else pictures, sorted; no hidden ones."""
    if not root.exists():
        raise UsageError(f"there is no {root}; set path to a folder of pictures")
    files = [root] if root.is_file() else []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith(".")]
        files += [Path(folder, name) for name in names if not name.startswith(".")]
    for suffixes in (frozenset({".parquet"}), SUFFIXES):
        if found := [file for file in files if file.suffix.lower() in suffixes]:
            return sorted(found, key=str)
    raise UsageError(f"no pictures and no Parquet files in {root}; set another path")


def of_folders(root: Path, files: Sequence[Path]) -> Pictures:
    """The class of a picture is the name of its folder."""
    parts = [file.relative_to(root).parts for file in files]
    given = splits_of([first for first, *_ in parts])
    depth = 1 if any(given) else 0
    for file, path in zip(files, parts, strict=True):
        if len(path) < depth + 2:
            raise UsageError(f"{file} lies in no class folder; move it into one")
    return Pictures([path[depth] for path in parts], given, files)


def of_parquet(root: Path, files: Sequence[Path]) -> Pictures:
    """Columns of images and labels; the first word of a file's name is its split."""
    del root
    parquet = need("pyarrow.parquet")
    labels: list[str | int] = []
    given: list[str] = []
    images: list[tuple[Path, str]] = []
    splits = splits_of([re.split(r"\W|_", file.name)[0] for file in files])
    for file, split in zip(files, splits, strict=True):
        with readable(file):
            known = parquet.read_schema(file).names
        image, label = (next((c for c in of if c in known), "") for of in COLUMNS)
        if not (image and label):
            raise UsageError(f"{file} has columns {known}; name two 'image', 'label'")
        with readable(file):
            found = parquet.read_table(file, columns=[label])[label].to_pylist()
        if not found or None in found or -1 in found:
            raise UsageError(f"{file} has pictures without a label; take it away")
        labels += found
        given += [split] * len(found)
        images.append((file, image))

    def raw() -> Iterator[Any]:
        for file, image in images:
            with readable(file), parquet.ParquetFile(file) as table:
                for batch in table.iter_batches(CHUNK, columns=[image]):
                    yield from batch.column(0).to_pylist()

    return Pictures(labels, given, raw())


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Name the file that cannot be read."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read {file} ({error}); repair or remove it"
        ) from error


def splits_of(words: Sequence[str]) -> list[str]:
    """The split that each word names; none unless ``train`` and another are there.

    >>> splits_of(["train", "validation"]), splits_of(["train", "bus"])
    (['train', 'val'], ['', ''])
    """
    found = [SPLITS.get(word, "") for word in words]
    if not {"train"} < set(found) - {""}:
        return [""] * len(words)
    if "" in found:
        stray = words[found.index("")]
        raise UsageError(f"{stray!r} stands beside 'train' and is no split; move it")
    return found


def mapped(path: Path) -> Tensor:
    """A file's array; what is not looked at stays on disk."""
    # Copy on write: torch warns of arrays that cannot be written to.
    return torch.from_numpy(np.load(path, mmap_mode="c"))
