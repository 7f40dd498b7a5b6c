"""A deep linear encoder that predicts the right half of an image from the left."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.models.haar import rotations
from mae_bench.models.optimiser import gradient_flow
from mae_bench.records.schema import Track


class DeepLinear(Method):
    """x -> V W_L ... W_1 x, with square matrices, trained on ½ E ‖V W̄ x - target‖².

    The left half is x, the right half y. The target is y (``mae``: a mask that hides
    the right half), or W̄ y without its gradient (``jepa``: self-distillation).

    The start is small, balanced and aligned, as in the theory: W_a = ε^{1/L} R_a with
    random rotations, and V = ε^{1/L} (R_L ... R_1)ᵀ for MAE, ε^{1/L} I for JEPA, so
    that V W̄ has the axes of its target. The mean is over a training set of its own,
    all of it at every step: plain gradient descent at a constant rate then follows the
    gradient flow of that set. (Small batches do not: their noise slowly unbalances
    the layers, which the flow keeps balanced, and the plateaus go astray.)

    Attributes:
        amplitudes: |W̄ e_i| of every input pixel i before each step ``[steps, d]``.

    References:
        Littwin et al. 2024, arXiv 2407.03475.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    passes: ClassVar[bool] = False  # it keeps as many amplitudes as it takes steps
    joins: ClassVar[tuple[str, ...]] = ()
    amplitudes: Tensor
    moments: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        depth: int = 2,
        objective: str = "mae",
        init_scale: float = 0.02,
        images: int = 20_000,
        lr: float = 0.3,
        **budget: Any,
    ) -> None:
        """Draw the rotations and the training set.

        Args:
            dataset: The world that it learns from; its images have an even width.
            generator: Draws the initial weights, then the training set.
            depth: L, layers of the encoder, at least 1.
            objective: ``mae`` or ``jepa``.
            init_scale: ε > 0, singular value of the initial W̄.
            images: Size of the training set.
            lr: Learning rate, the time that a step takes.
            budget: See ``Method``; of it, the number of steps alone is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, lr=lr, **budget)
        if depth < 1:
            raise ValueError(f"depth is {depth}; choose at least 1")
        if objective not in ("mae", "jepa"):
            raise ValueError(f"objective is {objective!r}; choose 'mae' or 'jepa'")
        if not init_scale > 0:
            raise ValueError(f"init_scale is {init_scale}; choose above 0")
        if dataset.image_size % 2:
            raise ValueError(f"an image {dataset.image_size} wide has no halves")
        self.depth = depth
        self.objective = objective
        self.init_scale = init_scale
        d = dataset.channels * dataset.image_size**2 // 2
        turns = rotations(depth, d, generator).float()
        scale = init_scale ** (1 / depth)
        self.layers = nn.ParameterList(nn.Parameter(scale * turn) for turn in turns)
        start = torch.eye(d)
        if objective == "mae":
            for turn in turns:
                start = start @ turn.T
        self.V = nn.Parameter(scale * start)
        drawn = dataset.sample(images, generator).images
        xy = torch.cat(halves(drawn), 1)
        self.register_buffer("moments", xy.T @ xy / images, persistent=False)
        self.register_buffer("amplitudes", torch.zeros(self.last_step, d))
        self._keep(0)

    def encoder(self) -> Float[Tensor, "d d"]:
        """W̄ = W_L ... W_1."""
        product: Tensor = self.layers[0]
        for layer in self.layers[1:]:
            product = layer @ product
        return product

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, though the loss is of the method's own set."""
        del generator
        return batch.images

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """½ the squared error, summed over the target, of the method's own set."""
        del example
        W = self.encoder()
        # Of x and y side by side: E ‖V W̄ x - T y‖² is a form in their second moments.
        T = W.detach()
        if self.objective == "mae":
            T = torch.eye(len(W), dtype=W.dtype, device=W.device)
        error = torch.cat([self.V @ W, -T], 1)
        return 0.5 * (error @ self.moments * error).sum()

    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Keep the amplitudes from before the next step."""
        del weights
        self._keep(step + 1)

    @torch.no_grad()
    def _keep(self, step: int) -> None:
        if step < len(self.amplitudes):
            self.amplitudes[step] = self.encoder().norm(dim=0)

    def configure_optimizers(self) -> Any:
        """Gradient descent at a constant rate, without momentum."""
        return gradient_flow(self.parameters(), self.lr)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """W̄ x of the left half, as ``code`` and ``mean``.

        Raises:
            ValueError: Another masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("the left half is all that it sees; leave ids_keep out")
        code = halves(batch.images)[0] @ self.encoder().T
        return {"code": code, "mean": code}


def halves(
    images: Float[Tensor, "n c h w"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """The left and the right half of every image."""
    left, right = images.chunk(2, dim=3)
    return left.flatten(1), right.flatten(1)
