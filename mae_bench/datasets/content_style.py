"""Content that two views share and style that they do not, mixed into every pixel.

c ~ N(0, I) causes s = a + B c + ε if there is ``dependence``, with half of the variance
of s from c on average; else s ~ N(0, I). The image is x = W_3 σ(W_2 σ(W_1 (c, s))),
σ(t) = max(t, 0.2 t), with invertible W_i, so it tells c and s without loss. A view has
the same c and s̃_A = s_A + ε on a random subset A of the styles.

The theorem about it: an encoder of dim(c) numbers that aligns views and fills space
recovers c up to an invertible map.

References:
    von Kügelgen et al. 2021, arXiv 2106.04619, Theorem 4.4 and Section 5.1; the
    authors' code draws W_i alike, from 25,000 candidates, and leaves B unscaled.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import leaky_relu

from mae_bench.datasets import Batch, Generated, orthant

LAYERS = 3
SLOPE = 0.2
_CANDIDATES = 1000
# Keeps the mean square of what σ halves: E σ(t)² = (1 + slope²) / 2 for t ~ N(0, 1).
_GAIN = math.sqrt(2 / (1 + SLOPE**2))


class ContentStyle(Generated):
    """Images of content + style pixels: ``level_0`` is c, the content, ``level_1`` s.

    The class is the orthant of c's first two coordinates (one if it has one); the
    classes are equally likely.

    n images of d pixels take O(n d²) time and O(n d) memory. The constructor takes the
    singular values of 1,000 candidates for each W_i, O(1000 d³) time and O(1000 d²)
    memory.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        content: int = 8,
        style: int = 8,
        dependence: bool = False,
        change_prob: float = 0.75,
        **settings: Any,
    ) -> None:
        """Draw the world's parameters W_i, a and B.

        Args:
            generator: Draws them.
            content: Dimension of c.
            style: Dimension of s; content + style must be the square of a side.
            dependence: Whether content causes style.
            change_prob: Probability, in [0, 1], that a view changes a style.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        if min(content, style) < 1:
            raise ValueError(
                f"content is {content}, style is {style}; choose both at least 1"
            )
        side = math.isqrt(content + style)
        if side**2 != content + style:
            raise ValueError(
                f"content + style is {content + style}, the pixels of an image; choose "
                f"a square number such as {(side + 1) ** 2}"
            )
        if not 0 <= change_prob <= 1:
            raise ValueError(f"change_prob is {change_prob}; choose in [0, 1]")
        self.channels = 1
        self.image_size = side
        self.levels = ("level_0", "level_1")
        self.num_classes = 2 ** min(2, content)
        self.dependence = dependence
        self.change_prob = change_prob

        device = generator.device
        self._a = torch.randn(style, generator=generator, device=device)
        B = torch.randn(style, content, generator=generator, device=device)
        self._B = B / math.sqrt(2 * content)
        self._weights = [
            invertible(content + style, generator).float() for _ in range(LAYERS)
        ]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        device = generator.device
        # There from now on: a step that copies from the host would wait for it.
        a, B = self._a, self._B = self._a.to(device), self._B.to(device)
        c = torch.randn(n, B.shape[1], generator=generator, device=device)
        s = torch.randn(n, B.shape[0], generator=generator, device=device)
        if self.dependence:
            s = a + c @ B.T + math.sqrt(0.5) * s
        return self._show(c, s)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same content; each style moved by N(0, 1), with ``change_prob``.

        Raises:
            ValueError: The images are of another world.
        """
        if tuple(batch.latents) != self.levels:
            raise ValueError(
                f"images with latents {tuple(batch.latents)} are not of this world; "
                f"give a batch with {self.levels}"
            )
        c, s = batch.latents.values()
        device = generator.device
        change = torch.rand(s.shape, generator=generator, device=device)
        noise = torch.randn(s.shape, generator=generator, device=device)
        return self._show(c, s + noise * (change < self.change_prob))

    def parameters(self) -> Mapping[str, Tensor]:
        """W_i, and a and B where content causes style."""
        named = {f"weights_{i}": W for i, W in enumerate(self._weights, start=1)}
        return named | ({"a": self._a, "B": self._B} if self.dependence else {})

    def _show(self, c: Tensor, s: Tensor) -> Batch:
        self._weights = [W.to(c.device) for W in self._weights]
        x = mix(torch.cat([c, s], 1), self._weights)
        images = x.view(len(x), 1, self.image_size, self.image_size)
        return Batch(images, {"level_0": c, "level_1": s}, orthant(c[:, :2]))


def mix(z: Float[Tensor, "n d"], weights: list[Tensor]) -> Float[Tensor, "n d"]:
    """W_3 σ(W_2 σ(W_1 z)), and so on for any number of layers."""
    first, *rest = weights
    x = z @ first.T
    for W in rest:
        x = leaky_relu(x, SLOPE) @ (_GAIN * W).T
    return x


def unmix(x: Float[Tensor, "n d"], weights: list[Tensor]) -> Float[Tensor, "n d"]:
    """The z with ``mix(z, weights)`` = x."""
    first, *rest = weights
    for W in reversed(rest):
        x = torch.linalg.solve(_GAIN * W, x.T).T
        x = torch.where(x < 0, x / SLOPE, x)
    z: Tensor = torch.linalg.solve(first, x.T).T
    return z


def invertible(d: int, generator: torch.Generator) -> Float64[Tensor, "d d"]:
    """A matrix of unit columns, the best conditioned of 1,000 with uniform entries."""
    shape, device = (_CANDIDATES, d, d), generator.device
    entries = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
    candidates = 2 * entries.cpu() - 1
    candidates = candidates / candidates.norm(dim=1, keepdim=True)
    best: Tensor = candidates[torch.linalg.cond(candidates).argmin()]
    return best
