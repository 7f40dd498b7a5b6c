"""One row of a results file, and a machine."""

from typing import Any

import pytest


@pytest.fixture
def one_row() -> dict[str, Any]:
    """A number as a results file holds it."""
    return {
        "experiment": "e",
        "dataset": "world",
        "method": "mae",
        "tier": "quick",
        "precision": "32-true",
        "mask_ratio": 0.75,
        "seed": 0,
        "rounding": 0,
        "metric": "linear_probe",
        "metric_version": 1,
        "view": "unmasked",
        "token": "mean",
        "target": "",
        "value": 0.5,
        "n_eval": 2000,
        "status": "ok",
        "reason": "",
        "train_seconds": 0.0,
        "cell": "c",
        "commit": "0123456789ab",
        "dirty": False,
        "versions": "torch=2",
        "device": "cpu x86_64",
    }


@pytest.fixture
def machine() -> dict[str, str]:
    """What asv keeps of a machine."""
    return {
        "machine": "m",
        "os": "Linux",
        "arch": "x86_64",
        "cpu": "C",
        "num_cpu": "2",
        "ram": "8GB",
    }
