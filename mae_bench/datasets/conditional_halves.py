"""Two halves of an image that a class makes independent, up to a nuisance they share.

y is one of k classes. The right half, x1, shows the class by a cue of random sign, the
left half, x2, by its mean:

    x1 = s α a_y + ε B u + σ e_1,    x2 = β m_y + ε C u + σ e_2,

with s = ±1, u ~ N(0, I_k), e_i ~ N(0, I) and orthonormal a_1..a_k, columns of B; and
m_1..m_k. At ε = 0 the halves are independent given y, and E[x2 | y] has rank k. As the
sign is lost in the mean, no linear map of x1 tells the class.

References:
    Lee, Lei, Saunshi & Zhuo 2021, arXiv 2008.01064: ψ*(x1) = E[x2 | x1] and ε_CI.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import orthonormal

SIDE = 8
PIXELS = SIDE * SIDE // 2  # of a half


class ConditionalHalves(Generated):
    """Images of 8 x 8 pixels: ``level_0`` is y (one-hot), ``level_1`` is u.

    n images of k classes, their posteriors and expectations take O(n k) time and
    64 n + O(n k) numbers of memory.
    """

    version: ClassVar[int] = 1
    num_classes: int

    def __init__(
        self,
        generator: torch.Generator,
        *,
        strength: float = 0.0,
        overlap: bool = True,
        classes: int = 4,
        cue: float = 1.5,
        mean: float = 2.0,
        pixel_noise: float = 0.5,
        **settings: Any,
    ) -> None:
        """Draw the directions a, B, m and C.

        Args:
            generator: Draws them.
            strength: ε, from 0, where the halves are independent given the class.
            overlap: Whether the nuisance moves x2 along the class means, C = m; if not,
                at right angles to all of them.
            classes: k, in 2..16.
            cue: α > 0.
            mean: β > 0.
            pixel_noise: σ > 0.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= classes <= PIXELS // 2:
            raise ValueError(f"classes is {classes}; choose in 2..{PIXELS // 2}")
        if not 0 <= strength < math.inf:
            raise ValueError(f"strength is {strength}; choose 0 or more")
        sizes = {"cue": cue, "mean": mean, "pixel_noise": pixel_noise}
        for name, value in sizes.items():
            if not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}; choose a number above 0")
        self.channels = 1
        self.image_size = SIDE
        self.levels = ("level_0", "level_1")
        self.num_classes = classes
        self.strength = strength
        self.overlap = overlap
        self.cue = cue
        self.mean = mean
        self.pixel_noise = pixel_noise
        frames = orthonormal(2, PIXELS, 2 * classes, generator).float()
        self._frames = frames

    @property
    def ci_gap(self) -> float:
        """ε_CI² = E |E[x2 | x1] - E[E[x2 | y] | x1]|² = k ε⁴ / (ε² + σ²).

        It is ε² E |E[u | x1]|², and C keeps lengths; whether C = m makes no difference.
        """
        signal, noise = self.strength**2, self.pixel_noise**2
        return self.num_classes * signal**2 / (signal + noise)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        device, k = generator.device, self.num_classes
        return self._show(
            torch.randint(k, (n,), generator=generator, device=device), generator
        )

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Other images of the same classes.

        Raises:
            ValueError: The images have no labels.
        """
        if batch.labels is None:
            raise ValueError("images without labels have no class to keep")
        return self._show(batch.labels, generator)

    def parameters(self) -> Mapping[str, Tensor]:
        """(a, B) of the right half and (m, the rest) of the left."""
        return {"right": self._frames[0], "left": self._frames[1]}

    def posterior(self, images: Float[Tensor, "n 1 8 8"]) -> Float[Tensor, "n k"]:
        """P(y | x1), of which a Bayes classifier takes the largest.

        Proportional to cosh(α a_y · x1 / σ²): both signs, and B at right angles to a.
        """
        a = self._axes(images)[0]
        logit = (halves(images)[1] @ a * (self.cue / self.pixel_noise**2)).double()
        return torch.logaddexp(logit, -logit).softmax(1).to(images.dtype)

    def expectation(self, images: Float[Tensor, "n 1 8 8"]) -> Float[Tensor, "n 1 8 8"]:
        """Images with ψ*(x1) = E[x2 | x1] in the left half, 0 in the right.

        ψ* = β m P(y | x1) + ε C E[u | x1], E[u | x1] = ε Bᵀ x1 / (ε² + σ²).
        """
        _, B, m, C = self._axes(images)
        x1 = halves(images)[1]
        variance = self.strength**2 + self.pixel_noise**2
        u = x1 @ B * (self.strength / variance)
        x2 = self.mean * self.posterior(images) @ m.T + self.strength * u @ C.T
        return joined(x2, torch.zeros_like(x1))

    def _axes(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Directions a, B, m and C, each [pixels of a half, k]."""
        self._frames = self._frames.to(images.device)
        (a, B), (m, rest) = (frame.chunk(2, 1) for frame in self._frames)
        return a, B, m, m if self.overlap else rest

    def _show(self, y: Tensor, generator: torch.Generator) -> Batch:
        device, n = generator.device, len(y)
        k, eps = self.num_classes, self.strength
        a, B, m, C = self._axes(y)
        coin = torch.rand(n, generator=generator, device=device)
        sign = torch.where(coin < 0.5, -1.0, 1.0)[:, None]
        u = torch.randn(n, k, generator=generator, device=device)
        grain = torch.randn(2, n, PIXELS, generator=generator, device=device)
        x1 = sign * self.cue * a.T[y] + eps * u @ B.T + self.pixel_noise * grain[0]
        x2 = self.mean * m.T[y] + eps * u @ C.T + self.pixel_noise * grain[1]
        known = one_hot(y, k).float()
        return Batch(joined(x2, x1), {"level_0": known, "level_1": u}, y)


def joined(
    left: Float[Tensor, "n d"], right: Float[Tensor, "n d"]
) -> Float[Tensor, "n 1 8 8"]:
    """Images of two halves, each row by row."""
    both = [half.view(-1, 1, SIDE, SIDE // 2) for half in (left, right)]
    return torch.cat(both, 3)


def halves(
    images: Float[Tensor, "n 1 8 8"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """The left half, x2, and the right half, x1; undoes ``joined``."""
    left, right = (half.flatten(1) for half in images.chunk(2, 3))
    return left, right
