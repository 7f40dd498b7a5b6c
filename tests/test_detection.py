"""The script that scores the detection of regressions, on a few histories."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def detection(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.detection")


def test_histories_are_what_they_are_said_to_be(detection: ModuleType) -> None:
    rng = np.random.default_rng(0)
    for planted in detection.KINDS:
        errors, at = detection.history(planted, rng)
        assert errors.shape == (50, 5)
        assert 1 <= at <= 49
        moved = (errors[1:] != errors[:-1]).any(axis=1).mean()
        if planted.quiet == 0 or planted.kind == "drift":
            assert moved == 1
        else:
            assert 0.2 < moved < 0.8
    many = [detection.history(detection.Planted("loss", 2, 0), rng) for _ in range(300)]
    sizes = [errors[at:].mean() - errors[:at].mean() for errors, at in many]
    assert np.mean(sizes) == pytest.approx(2 * detection.SPREAD, abs=0.02)


def test_a_large_loss_is_found_by_all_and_scored(detection: ModuleType) -> None:
    rng = np.random.default_rng(1)
    loss = detection.Planted("loss", 20.0, 0.0)
    found = [detection.scores(loss, 20, rng)]
    found.append(detection.scores(detection.Planted("none", 0.0, 0.0), 20, rng))
    table = detection.precision(pd.concat(found, ignore_index=True))
    ours = table[table["detector"] == "steps"].iloc[0]
    assert ours["recall"] == 1
    assert ours["precision_beside_none"] > 0.9
    assert table.loc[table["planted"] == "none", "recall"].isna().all()


def test_the_committed_table_has_every_kind_and_keeps_its_goals() -> None:
    table = pd.read_csv(ROOT / "results" / "detection.csv")
    assert len(table) == 12 * 3
    at = table[(table["quiet"] == 0) & (table["detector"] == "steps")]
    one = at[(at["planted"] == "loss") & (at["size"] == 1)].iloc[0]
    assert one["recall"] >= 0.9
    assert one["precision"] >= 0.95
