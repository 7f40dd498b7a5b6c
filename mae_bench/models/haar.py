"""Uniformly random orthonormal matrices and rotations."""

import torch
from jaxtyping import Float64
from torch import Tensor


def orthonormal(
    n: int, rows: int, columns: int, generator: torch.Generator
) -> Float64[Tensor, "n rows columns"]:
    """Matrices with orthonormal columns, uniform over all of them (Haar).

    QR alone is not uniform: its signs follow a convention, so they are R's here.
    """
    shape, device = (n, rows, columns), generator.device
    normal = torch.randn(shape, generator=generator, device=device, dtype=torch.float64)
    q, r = torch.linalg.qr(normal.cpu())
    uniform: Tensor = q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
    return uniform


def rotations(n: int, k: int, generator: torch.Generator) -> Float64[Tensor, "n k k"]:
    """Matrices of SO(k), uniform over all of them: orthonormal, determinant 1."""
    q = orthonormal(n, k, k, generator)
    # Turning one axis of the reflections maps them onto the rotations, evenly.
    q[:, :, 0] *= torch.linalg.det(q).sign()[:, None]
    return q
