import math

import torch

from mae_bench.models.haar import orthonormal, rotations


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_matrices_are_orthonormal_and_uniform():
    Q = orthonormal(4000, 3, 2, rng())
    eye = torch.eye(2, dtype=torch.float64).expand(4000, 2, 2)
    torch.testing.assert_close(Q.mT @ Q, eye, atol=1e-12, rtol=0)
    # Haar: mean 0 and variance 1/3 in every entry, and as many turns as reflections.
    assert Q.mean(0).abs().max() < 5 / math.sqrt(3 * 4000)
    assert Q.square().mean(0).sub(1 / 3).abs().max() < 0.03
    square = orthonormal(4000, 2, 2, rng(1))
    assert torch.linalg.det(square).mean().abs() < 5 / math.sqrt(4000)


def test_rotations_are_uniform_and_never_reflect():
    Q = rotations(4000, 3, rng(2))
    eye = torch.eye(3, dtype=torch.float64).expand(4000, 3, 3)
    torch.testing.assert_close(Q.mT @ Q, eye, atol=1e-12, rtol=0)
    torch.testing.assert_close(torch.linalg.det(Q), torch.ones(4000).double())
    assert Q.mean(0).abs().max() < 5 / math.sqrt(3 * 4000)
    # The trace of a rotation of the plane is 2 cos of an angle that is uniform.
    angle = torch.atan2(*rotations(4000, 2, rng(3))[:, :, 0].flip(1).unbind(1))
    assert angle.div(math.pi).histc(8, -1, 1).sub(500).abs().max() < 5 * math.sqrt(500)
    assert rotations(5, 1, rng()).eq(1).all()
