"""A projector whose hidden layer is standardised over the batch, and maybe its end."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.models.projector import Projector


class StandardisedProjector(Projector):
    """g(h) = W2 ReLU(BN(W1 h)) + b2, or BN(W2 ReLU(BN(W1 h))).

    BN is batch norm by the statistics of the batch itself, in evaluation too: nothing
    is remembered between batches, and g is a function of the weights and of all rows
    together. A map in front of a BN has no bias, which its mean would take away; a BN
    at the end has no weights of its own.

    References:
        Chen & He 2021, arXiv 2011.10566, Sec. 3, and its released code.
    """

    def __init__(
        self,
        generator: torch.Generator,
        *,
        in_dim: int,
        hidden_dim: int,
        out_dim: int,
        standard_out: bool = False,
    ) -> None:
        """Build it and draw its weights; see ``Projector``.

        Args:
            generator: Draws the weights.
            in_dim: Width of h.
            hidden_dim: Width of the hidden layer.
            out_dim: Width of the projection.
            standard_out: Whether projections are standardised too.
        """
        super().__init__(
            generator, in_dim=in_dim, hidden_dim=hidden_dim, out_dim=out_dim
        )
        self.hidden.register_parameter("bias", None)
        self.norm = nn.BatchNorm1d(hidden_dim, track_running_stats=False)
        self.out_norm: nn.Module = nn.Identity()
        if standard_out:
            self.out.register_parameter("bias", None)
            self.out_norm = nn.BatchNorm1d(
                out_dim, affine=False, track_running_stats=False
            )

    def forward(self, h: Float[Tensor, "n _"]) -> Float[Tensor, "n _"]:
        """Projections of features, at least 2, which are looked at together."""
        out: Tensor = self.out_norm(self.out(torch.relu(self.norm(self.hidden(h)))))
        return out
