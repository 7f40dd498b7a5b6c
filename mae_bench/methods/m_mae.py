"""Matrix variational MAE (Tan et al. 2024): MAE whose class tokens fill their space."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import Masking
from mae_bench.models.processes import gather


def coding_rate(features: Float[Tensor, "n d"], mu: float) -> Float[Tensor, ""]:
    """Total coding rate of the features, each scaled to unit length.

    TCR(Z) = log det(I_d + mu / d Z^T Z), rows of Z of unit length. Z^T Z has trace n,
    so for small mu it is mu n / d - (mu n / d)^2 / 2 times U-MAE's uniformity loss
    with its diagonal, plus higher powers of mu.

    Args:
        features: One row an image.
        mu: Weight of the features against the identity, above 0.

    Returns:
        In nats, from log(1 + mu n / d), if all point the same way, to
        d log(1 + mu n / d^2), if they are isotropic; never above n log(1 + mu / d),
        which n <= d orthogonal features have.

    References:
        2309.17281, TCR_mu, there log det(mu I + Z Z^T) with one column an image: the
        same up to a constant, with mu for d / mu here. The released code writes it
        as here, and divides by d where its comment has the batch size.

    >>> round(coding_rate(torch.eye(2), mu=6.0).exp().item(), 4)  # (1 + 6 / 2)^2
    16.0
    """
    # Rounding to half precision would be larger than small eigenvalues.
    with torch.autocast(features.device.type, enabled=False):
        full = torch.promote_types(features.dtype, torch.float32)
        z = F.normalize(features.to(full), dim=1)
        d = z.shape[1]
        identity = torch.eye(d, dtype=full, device=z.device)
        return torch.logdet(identity + mu / d * (z.T @ z))


class MMAE(MAE):
    """MAE minus ``lamb`` times the coding rate of the masked images' class tokens.

    U-MAE is its second order in mu. At the defaults, and 64 images of width 32, the
    series is far from convergence: an eigenvalue of mu / d Z^T Z is up to mu n / d = 6,
    so the two are not the same method.

    The released recipe has lamb 0.01 and mu 3 (ViT-L; width and batch 1024), kept here:
    between collapse and isotropy the term then moves by 0.016 there, and by 0.036 with
    64 images of width 32. Left out: its second norm of the class token, and a
    linear head on labels that sends no gradient to the encoder. Its gather passes no
    gradients between processes, so on 8 GPUs its lamb acts as 0.00125; it trains with
    ``norm_pix_loss``, which is off here by default.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        lamb: float = 0.01,
        mu: float = 3.0,
        **mae: Any,
    ) -> None:
        """Build an MAE.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            lamb: Weight of the coding rate, from 0 (plain MAE).
            mu: Of the coding rate, above 0; see ``coding_rate``.
            mae: See ``MAE``.

        Raises:
            ValueError: ``lamb`` is negative, or ``mu`` not positive.
        """
        super().__init__(dataset, generator, **mae)
        if lamb < 0:
            raise ValueError(
                f"lamb {lamb} would pull features together; choose 0 or more"
            )
        if not mu > 0:
            raise ValueError(f"mu {mu} weighs no feature; choose a positive number")
        self.lamb = lamb
        self.mu = mu

    def objective(
        self,
        images: Float[Tensor, "n c h w"],
        tokens: Float[Tensor, "n t d"],
        masking: Masking,
    ) -> Float[Tensor, ""]:
        """MAE's loss less the class tokens' coding rate."""
        rate = coding_rate(gather(self.encoder.readout(tokens)["cls"]), self.mu)
        return super().objective(images, tokens, masking) - self.lamb * rate
