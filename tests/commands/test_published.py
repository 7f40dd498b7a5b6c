"""Tier ``paper`` end to end, on a few pictures that lie as the real ones do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

Image = pytest.importorskip("PIL.Image", reason="pip install mae_bench[images]")

Call = Callable[..., Result]
TINY = ("steps=8", "batch_size=4", "embed_dim=8", "depth=1", "num_heads=2")
DECODER = ("decoder_embed_dim=8", "decoder_num_heads=2", "decoder_depth=1")


def words(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def paper(experiment: str, *more: str) -> list[str]:
    head = ["run", "--tier", "paper", "--experiment", experiment, "--seeds", "1"]
    return [*head, "--jobs", "0", "--results", "r", *more]


def imagenette(folder: Path) -> None:
    """Folders of Imagenette: two classes, of which the colour tells."""
    draw = np.random.default_rng(0)
    for split, count in (("train", 60), ("val", 8)):
        for place, name in enumerate(("n01440764", "n02102040")):
            home = folder / "imagenette2" / split / name
            home.mkdir(parents=True)
            for i in range(count):
                pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                pixels[..., place] = 255
                Image.fromarray(pixels).save(home / f"{i}.png")


def test_what_is_not_here_is_one_line_and_nothing_is_trained(
    call: Call, tmp_path: Path
) -> None:
    ran = call(*paper("published_imagenette_128"))
    assert ran.exit_code == 2
    (line,) = [x for x in ran.stderr.splitlines() if x.startswith("error")]
    assert "imagenette2; set path to a folder of pictures" in line
    assert not list(tmp_path.rglob("*.csv"))
    ran = call(*paper("mask_ratio"))
    assert ran.exit_code == 2
    assert "mask_ratio reproduces no published number" in ran.stderr


def test_a_stand_in_is_trained_read_and_told_beside_the_published(
    call: Call, tmp_path: Path
) -> None:
    imagenette(tmp_path)
    own = words(*TINY, *DECODER)
    ran = call(*paper("published_imagenette_128", "--method", "mae", *own))
    assert ran.exit_code == 0, ran.stderr
    rows = pd.read_csv(tmp_path / "r" / "measurements" / "published_imagenette_128.csv")
    assert set(rows["tier"]) == {"paper"}
    assert set(rows["stop"]) == {0.25, 0.5, 0.75, 1.0}
    assert rows["cell"].nunique() == 4
    said = [line for line in ran.stdout.splitlines() if "mae 0.610" in line]
    assert len(said) == 1
    assert "at the end" in said[0]
    assert "at the best of 4 checkpoints (knn_probe k200, 1 seed)" in said[0]
    (other,) = [line for line in ran.stdout.splitlines() if "sim_mim 0.343" in line]
    assert other.endswith("ours: not run")
    told = call("info", "published_imagenette_128", "--results", "r").stdout
    assert "at the best of 4 checkpoints" in " ".join(told.split())


def test_views_of_a_stand_in_go_through_a_vit_and_are_probed(
    call: Call, tmp_path: Path
) -> None:
    imagenette(tmp_path)
    own = words(*TINY, "bottleneck=8", "projector_hidden_dim=8", "image_size=16")
    _, *rest = paper("published_imagenette_lejepa", *own)
    ran = call("measure", *rest)
    assert ran.exit_code == 0, ran.stderr
    told = call("info", "published_imagenette_lejepa", "--results", "r").stdout
    said = " ".join(told.split())
    assert "lejepa_vit 0.907" in said
    assert "at the best of 4 checkpoints (linear_probe, 1 seed)" in said


def test_cifars_stand_in_goes_through_a_resnet(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="pip install mae_bench[images]")
    from tests.datasets.test_hub import keep

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (140, 32, 32, 3), dtype=np.uint8)
    parts = {"train": pixels[:120], "test": pixels[120:]}
    keep(tmp_path / "hf", "uoft-cs/cifar10", parts, "label")
    own = words(
        "steps=4", "batch_size=4", "image_size=8", f"cache={tmp_path / 'decoded'}"
    )
    _, *rest = paper("published_cifar10", *own)
    ran = call("measure", *rest)
    assert ran.exit_code == 0, ran.stderr
    told = call("info", "published_cifar10", "--results", "r").stdout
    assert "ours: 0." in told
    assert "at the best of 4 checkpoints" in " ".join(told.split())
