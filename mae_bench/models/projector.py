"""The projector between an encoder and a contrastive loss."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.models.vit import draw_weights


class Projector(nn.Module):
    """g(h) = W2 ReLU(W1 h + b1) + b2.

    No batch norm: an image's projection depends on that image alone, and the encoder
    ends in a layer norm already.

    References:
        Chen et al. 2020, arXiv 2002.05709, Sec. 2.1.
    """

    def __init__(
        self, generator: torch.Generator, *, in_dim: int, hidden_dim: int, out_dim: int
    ) -> None:
        """Build it and draw its weights.

        Args:
            generator: Draws the weights; the global random state has no say.
            in_dim: Width of h.
            hidden_dim: Width of the hidden layer.
            out_dim: Width of the projection.

        Raises:
            ValueError: A width below 1.
        """
        widths = (in_dim, hidden_dim, out_dim)
        if min(widths) < 1:
            raise ValueError(f"projector widths {widths} must all be at least 1")
        super().__init__()
        self.hidden = nn.Linear(in_dim, hidden_dim)
        self.out = nn.Linear(hidden_dim, out_dim)
        draw_weights(self, generator)

    def forward(self, h: Float[Tensor, "n _"]) -> Float[Tensor, "n _"]:
        """Projections of features."""
        projected: Tensor = self.out(torch.relu(self.hidden(h)))
        return projected
