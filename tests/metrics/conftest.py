"""What the tests of the metrics share."""

from collections.abc import Callable, Sequence

import pytest
import torch

from mae_bench.metrics import Split


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def blobs(generator: torch.Generator) -> Callable[..., list[Split]]:
    """Splits of noisy classes around random centres."""

    def draw(
        sizes: Sequence[int] = (400, 150, 600),
        classes: int = 4,
        width: int = 6,
        noise: float = 1.0,
    ) -> list[Split]:
        centres = torch.randn(classes, width, generator=generator)
        splits = []
        for n in sizes:
            labels = torch.arange(n) % classes
            spread = noise * torch.randn(n, width, generator=generator)
            splits.append(Split(centres[labels] + spread, labels))
        return splits

    return draw
