"""Trainings in 64 bits, in which rounding stays rounding for some steps.

In 32 it does not: AdamW makes a whole step of a gradient that is 0 but for rounding,
and after some steps two orders of the same sums are two trainings.
"""

from dataclasses import replace

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records.schema import Cell
from mae_bench.training import stacked, train

# Of no ensemble, as test_stacked holds: these give every step another shape, step
# otherwise, or count in their batch norms.
ALONE = {"deep_linear", "mode_witness", "r2_mae", "simclr_resnet"}


def rounding(steps: int, lr: float, norm: float = 30.0) -> float:
    """What AdamW makes of ten last bits of a gradient of this norm: lr / 1e-8 a step.

    >>> rounding(steps=10, lr=1e-3) < 1e-7
    True
    """
    return steps * lr / 1e-8 * 10 * norm * torch.finfo(torch.float64).eps


def wide(batch: Batch) -> Batch:
    """Images of 64 bits."""
    return replace(batch, images=batch.images.double())


def train_in_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell is built with images and weights of 64 bits."""
    honest = train.build

    def build(cell: Cell, device: str) -> tuple[Dataset, Method]:
        dataset, method = honest(cell, device)
        sample, redraw = dataset.sample, dataset.redraw
        dataset.sample = lambda *a: wide(sample(*a))  # type: ignore[method-assign]
        dataset.redraw = lambda *a: wide(redraw(*a))  # type: ignore[method-assign]
        return dataset, method.double()

    monkeypatch.setattr(stacked, "build", build)
    monkeypatch.setattr(train, "build", build)
