"""A model of two modes that has all right but one number, learned by masked prediction.

The limit that training should follow is in ``oracles/mode_blindness.py``.
"""

import math
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.models.optimiser import gradient_flow
from mae_bench.records.schema import Track


class ModeWitness(Method):
    """q_λ(x_masked | x_visible) of ``TwoModes`` with its θ known and its weight λ not.

    The loss is the negative log likelihood of the masked spins given the visible ones.
    Plain gradient descent on logit λ, from λ = 1/2 at a constant rate.

    Pixels are taken as spins by their sign.

    References:
        Cai & Shi 2026, arXiv 2608.01383: the witness of mode blindness, whose masks
        show a fixed number of coordinates but for a share of full ones.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        theta: float = 0.6,
        mask_ratio: float = 0.75,
        uniform: bool = False,
        full_masks: float = 0.0,
        lr: float = 0.2,
        **budget: Any,
    ) -> None:
        """Begin at equal weights.

        Args:
            dataset: The world that it learns from.
            generator: Draws nothing.
            theta: θ of the model, in (0, 1); the world's.
            mask_ratio: Share of the spins that is masked, in (0, 1].
            uniform: Whether instead each number of visible spins is as likely.
            full_masks: Share of images of which all is masked, in [0, 1].
            lr: Learning rate, the time that a step takes.
            budget: See ``Method``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, lr=lr, **budget)
        if not 0 < theta < 1:
            raise ValueError(f"theta is {theta}; choose in (0, 1)")
        if not 0 < mask_ratio <= 1:
            raise ValueError(f"mask_ratio is {mask_ratio}; choose in (0, 1]")
        if not 0 <= full_masks <= 1:
            raise ValueError(f"full_masks is {full_masks}; choose in [0, 1]")
        self.theta = theta
        self.mask_ratio, self.uniform = mask_ratio, uniform
        self.full_masks = full_masks
        self.logit = nn.Parameter(torch.zeros(()))

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The spins of each image, and which of them are visible."""
        spins = batch.images.flatten(1).sign()
        n, d = spins.shape
        drawn = torch.rand(n, d + 2, generator=generator, device=generator.device)
        visible = spins.new_full((n, 1), round((1 - self.mask_ratio) * d))
        if self.uniform:
            visible = (drawn[:, d : d + 1] * d).floor()
        visible = visible * (drawn[:, d + 1 :] >= self.full_masks)
        return spins, drawn[:, :d].argsort(1).argsort(1) < visible

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean negative log likelihood of an image's masked spins, in nats."""
        spins, visible = example
        kept = spins * visible
        likely = self._log_weights(spins) - self._log_weights(kept)
        # The spins' own factor, which no weight changes.
        constant = math.log(2) - 0.5 * math.log1p(-(self.theta**2))
        masked = (~visible).sum(1)
        loss: Tensor = (masked * constant - likely).mean()
        return loss

    def _log_weights(self, spins: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Log (λ e^s + (1 - λ) e^-s), 2 s the log likelihood ratio of the modes."""
        s = math.atanh(self.theta) * spins.sum(1)
        plus, minus = (logsigmoid(sign * self.logit) + sign * s for sign in (1, -1))
        return torch.logaddexp(plus, minus)

    def configure_optimizers(self) -> Any:
        """Gradient descent at a constant rate, without momentum."""
        return gradient_flow(self.parameters(), self.lr)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The mode's log odds given the image.

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("its masks are of spins, not patches; leave ids_keep out")
        spins = batch.images.flatten(1).sign()
        odds = self.logit + 2 * math.atanh(self.theta) * spins.sum(1, keepdim=True)
        return {"mean": odds}
