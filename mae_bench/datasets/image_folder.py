"""Your own pictures: a folder a class, or Parquet files; decoded once, then mapped."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mae_bench.datasets._finite import Collection, FiniteSet, warn_once
from mae_bench.datasets._pictures import CHUNK, Pictures, need, write_once
from mae_bench.records.schema import UsageError, digest

SPLITS = {"train": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation"), "val"
)
SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".jp2", ".bmp", ".dib", ".gif"}
    | {".webp", ".avif", ".tga", ".pbm", ".pgm", ".ppm", ".pnm", ".tif", ".tiff"}
)
COLUMNS = (("image", "img"), ("label", "fine_label"))
TENTH = 0.1


class PictureSet(FiniteSet):
    """Pictures with classes, all decoded once: mapped from disk, or kept on a GPU.

    The shorter side of a picture is scaled to ``image_size``, the centre cut out.

    Attributes:
        classes: What each label means.
    """

    version: ClassVar[int] = 3
    classes: tuple[str, ...]

    def __init__(
        self, *, image_size: int = 32, grey: bool = False, cache: str = ""
    ) -> None:
        """Note what is wanted; ``open`` gets it.

        Args:
            image_size: Side in pixels.
            grey: One channel instead of three.
            cache: Folder of the decoded images; one of the set's own if empty.

        Raises:
            UsageError: No such size.
        """
        if image_size < 1:
            raise UsageError(f"image_size is {image_size}; choose at least 1")
        self.channels = 1 if grey else 3
        self.image_size = image_size
        self.levels = ()
        self._cache = cache

    def open(
        self,
        identity: str,
        read: Callable[[], Pictures],
        home: Path,
        generator: torch.Generator,
    ) -> None:
        """Map the decoded images, and cut them; decode them if they are not there.

        Args:
            identity: Names the pictures: other ones, another identity.
            read: Gives the pictures.
            home: Folder of all decoded images, unless the user has named one.
            generator: Draws the cut.
        """
        home = Path(self._cache or home).expanduser()
        shape = (self.channels, self.image_size, self.image_size)
        grey = self.channels == 1
        folder = home / digest(identity, PictureSet.version, self.image_size, grey)
        if not folder.exists():
            write_once(folder, read, shape, TENTH)
        facts = json.loads((folder / "facts.json").read_text())
        self.classes = tuple(facts["classes"])
        self.num_classes = len(self.classes)
        arrays = {name: mapped(folder / f"{name}.npy") for name in Collection._fields}
        self.settle(Collection(**arrays), TENTH, generator)


class ImageFolder(PictureSet):
    """Square images from ``path/class/*.png`` (or another format), or ``*.parquet``.

    A tenth of every class is ``val``, a tenth ``test``, others for every seed. Folders
    ``train/class`` and ``val/class`` or ``test/class`` (files ``train-*.parquet`` ...)
    are not mixed; if only one of the two is there it is ``test``, and a tenth of
    ``train`` is ``val``.

    Parquet needs columns ``image`` (or ``img``) and ``label`` (or ``fine_label``).
    """

    def __init__(
        self, generator: torch.Generator, *, path: str = "", **settings: Any
    ) -> None:
        """Find the pictures, and decode them unless that was done before.

        Args:
            generator: Draws the cut.
            path: The folder, or one Parquet file.
            settings: Of ``PictureSet``. The decoded images are kept in a hidden folder
                beside ``path`` if ``cache`` is empty, and reused while no file's name,
                size or date changes.

        Raises:
            UsageError: No path, no pictures, one that cannot be read, a class of too
                few, or a cache that cannot be written.
        """
        super().__init__(**settings)
        if not path:
            raise UsageError(
                'image_folder has no path; set one, such as path="photos" with a '
                "folder for each class"
            )
        root = Path(path).expanduser().resolve()
        files, _ = found = listing(root)
        marks = [(str(f).removeprefix(str(root)), f.stat()) for f in files]
        identity = digest([(name, s.st_size, s.st_mtime_ns) for name, s in marks])
        parquet = files[0].suffix.lower() == ".parquet"
        read = partial(of_parquet if parquet else of_folders, root, files)
        home = root.with_name(f".{root.name}.mae_bench")
        self.open(identity, read, home, generator)
        # Every worker builds a world; who started them has said it.
        if parent_process() is None:
            warn_once(f"image_folder: {found.told(len(self.classes))}")


class Listing(NamedTuple):
    """What a folder has.

    Args:
        files: Parquet files if there are any, else pictures, sorted.
        left_out: What it was -> how many were not taken; hidden files do not count.
    """

    files: list[Path]
    left_out: Counter[str]

    def told(self, classes: int) -> str:
        """How many were taken, and what was not."""
        pictures = self.files[0].suffix.lower() in SUFFIXES
        line = f"{len(self.files)} {'pictures' if pictures else 'Parquet files'}"
        line += f" in {classes} classes"
        rest = [f"{n} {what}" for what, n in sorted(self.left_out.items())]
        return f"{line}; left out: {', '.join(rest)}" if rest else line


def listing(root: Path) -> Listing:
    """The pictures of a folder, links followed; no hidden ones.

    Raises:
        UsageError: There are none, or a folder cannot be read.
    """
    if not root.exists():
        raise UsageError(f"there is no {root}; set path to a folder of pictures")
    left_out: Counter[str] = Counter()
    files = [root] if root.is_file() else list(walk(root, (), left_out))
    for suffixes in (frozenset({".parquet"}), SUFFIXES):
        if found := [file for file in files if file.suffix.lower() in suffixes]:
            others = sorted({*files} - {*found})
            left_out.update(file.suffix or "without an ending" for file in others)
            return Listing(sorted(found, key=str), left_out)
    raise UsageError(f"no pictures and no Parquet files in {root}; set another path")


def walk(
    folder: Path, above: tuple[Path, ...], left_out: Counter[str]
) -> Iterator[Path]:
    """The files of a folder and of those in it, as they are named there.

    Args:
        folder: Where to look.
        above: Where it lies, links resolved: one that leads back there is left out.
        left_out: Counts what is neither a file nor a folder.

    Raises:
        UsageError: It cannot be read.
    """
    within = (*above, folder.resolve())
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"cannot read {folder}: {error.strerror}; allow it, or move it away"
        ) from error
    for path in found:
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and path.resolve() not in within:
            yield from walk(path, within, left_out)
        elif path.is_dir():
            left_out["links to a folder that they lie in"] += 1
        else:  # to open a pipe would wait for who writes into it
            left_out["broken links" if path.is_symlink() else "pipes or devices"] += 1


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
