"""A set of CIFAR's shape, as ``datasets`` keeps it on a machine; no network."""

import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from mae_bench.datasets.hub import SETS, Hub
from mae_bench.records.schema import UsageError

datasets = pytest.importorskip("datasets", reason="pip install mae_bench[images]")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"a connection was opened: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")


def keep(
    home: Path, repository: str, images: dict[str, np.ndarray], label: str
) -> None:
    """Write a set where ``load_dataset`` would have left it."""
    folder = home / repository.replace("/", "___") / "plain_text" / "0.0.0" / ("0" * 40)
    folder.mkdir(parents=True)
    features = datasets.Features(
        {"img": datasets.Image(), label: datasets.ClassLabel(num_classes=10)}
    )
    splits = {}
    for split, pixels in images.items():
        rows = {"img": list(pixels), label: [i % 10 for i in range(len(pixels))]}
        name = folder / f"{repository.rpartition('/')[2]}-{split}.arrow"
        table = datasets.Dataset.from_dict(rows, features=features)
        with datasets.arrow_writer.ArrowWriter(
            path=str(name), features=features
        ) as writer:
            for row in table:
                writer.write(features.encode_example(row))
            writer.finalize()
        splits[split] = datasets.SplitInfo(split, num_examples=len(pixels))
    info = datasets.DatasetInfo(
        features=features, splits=datasets.SplitDict(splits), config_name="plain_text"
    )
    info.version = datasets.Version("0.0.0")
    info.write_to_directory(str(folder))


@pytest.mark.parametrize(
    ("name", "label"), [("cifar10", "label"), ("cifar100", "fine_label")]
)
def test_it_loads_what_is_on_the_machine(name, label, tmp_path):
    draw = np.random.default_rng(0)
    images = {
        split: draw.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        for split, n in (("train", 100), ("test", 40))
    }
    keep(tmp_path / "hf", SETS[name].repository, images, label)
    world = Hub(rng(), name=name, cache=str(tmp_path / "c"))
    sizes = [len(world.split(part, 999, rng())) for part in ("train", "val", "test")]
    assert sizes == [90, 10, 40]
    assert (world.channels, world.image_size, world.num_classes) == (3, 32, 10)
    batch = world.split("test", 999, rng())
    mean, std = world._scale
    known = {p.tobytes(): i % 10 for i, p in enumerate(images["test"])}
    for x, y in zip(batch.images * std + mean, batch.labels.tolist(), strict=True):
        pixels = x.round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        assert known[pixels.tobytes()] == y


def test_once_decoded_it_needs_nothing_else(tmp_path, monkeypatch):
    draw = np.random.default_rng(0)
    images = {
        split: draw.integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)
        for split in ("train", "test")
    }
    keep(tmp_path / "hf", SETS["cifar10"].repository, images, "label")
    first = Hub(rng(), cache=str(tmp_path / "c")).fingerprint()
    monkeypatch.setattr(datasets, "load_dataset", None)
    assert Hub(rng(), cache=str(tmp_path / "c")).fingerprint() == first
    assert Hub(rng(1), cache=str(tmp_path / "c")).fingerprint() != first


@pytest.mark.parametrize("name", SETS)
def test_a_set_that_is_not_here_is_answered_with_the_command(name, tmp_path):
    repository = SETS[name].repository
    before = datasets.config.HF_HUB_OFFLINE
    with pytest.raises(UsageError, match=rf"run python -c .*'{repository}'") as error:
        Hub(rng(), name=name, cache=str(tmp_path / "c"))
    assert "\n" not in str(error.value)
    assert before == datasets.config.HF_HUB_OFFLINE


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="no 'cifar'; did you mean cifar10"):
        Hub(rng(), name="cifar", cache=str(tmp_path))
