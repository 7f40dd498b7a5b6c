"""Rows of measurements as a file has them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS

Write = Callable[..., Path]
ROW: dict[str, object] = (
    dict.fromkeys(COLUMNS, "")
    | {"rounding": 0}
    | {
        "experiment": "mask_ratio",
        "dataset": "digits",
        "method": "mae",
        "tier": "quick",
        "precision": "32-true",
        "seed": 3,
        "metric": "mcc",
        "metric_version": 1,
        "view": "unmasked",
        "token": "mean",
        "target": "level_0",
        "value": "0.500000",
        "n_eval": 10,
        "status": "ok",
        "train_seconds": 1.5,
        "cell": "c0",
        "dirty": True,
        "device": "cpu x86_64",
    }
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows, each given by what differs from the usual one."""

    def make(*changes: dict[str, object], name: str = "mask_ratio.csv") -> Path:
        path = tmp_path / "measurements" / name
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame([ROW | change for change in changes]).to_csv(path, index=False)
        return path

    return make
