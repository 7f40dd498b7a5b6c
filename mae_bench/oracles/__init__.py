"""The limits: what no encoder can exceed, exactly, in float64 and without training."""

import torch
from torch import Tensor

TOLERANCE = 1e-9  # of rounding in a covariance, relative


def check_covariance(covariance: Tensor) -> None:
    """Refuse what is no covariance.

    Raises:
        ValueError: Not finite, not symmetric, or not positive semi-definite.
    """
    scale = covariance.abs().max()
    if not covariance.isfinite().all():
        raise ValueError("covariance has entries that are not finite; clean the data")
    if (covariance - covariance.T).abs().max() > TOLERANCE * scale:
        raise ValueError("covariance is not symmetric; give (C + C.T) / 2")
    least = torch.linalg.eigvalsh(covariance)[0]
    if least < -TOLERANCE * scale * len(covariance):
        raise ValueError(
            f"covariance has eigenvalue {least:.3g}; give a positive semi-definite one"
        )
