"""Under autocast a loss is what it is of the same vectors in 32 bits."""

import torch
from torch import Tensor

from mae_bench.models.full_precision import in_full_precision


def product(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T).square().mean()


def test_under_autocast_nothing_is_rounded() -> None:
    a, b = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        rounded, found = product(a, b), in_full_precision(product, a, b)
        assert torch.equal(
            in_full_precision(product, a.bfloat16(), b.bfloat16()),
            in_full_precision(product, a.bfloat16().float(), b.bfloat16().float()),
        )
    assert torch.equal(found, product(a, b))
    assert not torch.equal(rounded.float(), found)


def test_64_bits_stay() -> None:
    a = torch.ones(2, 2, dtype=torch.float64)
    assert in_full_precision(product, a, a).dtype == torch.float64
