"""LeJEPA (Balestriero & LeCun 2025): two moments agree, and features are Gaussian."""

from itertools import pairwise
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods._two_views import pair
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.processes import gather
from mae_bench.records.schema import Track

KNOTS, REACH = 17, 3.0
DIRECTIONS = 16  # a step: plenty of few features, and new ones at the next


def sigreg(
    h: Float[Tensor, "n k"], directions: Float[Tensor, "m k"]
) -> Float[Tensor, ""]:
    """SIGReg: n times the distance of projections from N(0, 1), by their cosines.

    2 ∫_0^3 |E exp(i t aᵀh) - exp(-t²/2)|² exp(-t²/2) dt, by the trapezoidal rule at 17
    knots (Epps & Pulley 1983), averaged over unit directions a.

    Args:
        h: Features.
        directions: Of any length above 0.

    References:
        Balestriero & LeCun 2025, arXiv 2511.08544, and its minimal code.
    """
    t = torch.linspace(0, REACH, KNOTS, dtype=h.dtype, device=h.device)
    gauss = torch.exp(-t.square() / 2)
    weight = torch.full_like(t, 2 * REACH / (KNOTS - 1)) * gauss
    at = torch.arange(KNOTS, device=h.device)
    ends = 1 - 0.5 * ((at == 0) | (at == KNOTS - 1)).to(h.dtype)
    unit = directions / directions.norm(dim=1, keepdim=True)
    angles = (h @ unit.T)[..., None] * t  # [n m knots]
    error = (angles.cos().mean(0) - gauss).square() + angles.sin().mean(0).square()
    found: Tensor = len(h) * (error @ (weight * ends)).mean()
    return found


class LeJEPA(Method):
    """A perceptron h on the pixels: (1 - λ) |h(x') - h(x)|² + λ SIGReg of both.

    Pairs are what the world says they are (``Dataset.redraw``), such as a state and the
    next; where it says nothing, both are augmentations. There is no target
    network, no stopped gradient and no projector.

    References:
        Balestriero & LeCun 2025, arXiv 2511.08544.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "causes"
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        lamb: float = 0.02,
        width: int = 64,
        features: int = 2,
        weight_decay: float = 0.0,
        **budget: Any,
    ) -> None:
        """Build the perceptron, of two hidden layers.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            lamb: λ, weight of SIGReg, in (0, 1); 0.02 as released.
            width: Of the hidden layers.
            features: k, at least 1.
            weight_decay: None by default.
            budget: See ``Method``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, weight_decay=weight_decay, **budget)
        if not 0 < lamb < 1:
            raise ValueError(f"lamb is {lamb}; choose in (0, 1)")
        if width < 1 or features < 1:
            raise ValueError(f"{features} features of width {width}; give at least 1")
        self.lamb, self.k = lamb, features
        d = dataset.channels * dataset.image_size**2
        sizes = (d, width, width, features)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        with torch.no_grad():
            for layer in self.layers:
                assert isinstance(layer, nn.Linear)
                scale = (2 / layer.in_features) ** 0.5
                drawn = torch.randn(layer.weight.shape, generator=generator)
                layer.weight.copy_(scale * drawn)
                layer.bias.zero_()

    def represent(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """The features h of each image."""
        x = images.flatten(1)
        for layer in self.layers[:-1]:
            x = nn.functional.gelu(layer(x))
        h: Tensor = self.layers[-1](x)
        return h

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """Two views of each image, and directions."""
        device, shape = generator.device, (len(batch), self.k)
        return (
            *pair(self.dataset, batch, generator),
            torch.randn(
                shape, generator=generator, device=device, dtype=batch.images.dtype
            ),
        )

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of all processes' images together."""
        one, other, directions = example
        h1, h2 = self.represent(torch.cat([one, other])).chunk(2)
        both = torch.stack([gather(h1), gather(h2)])
        return in_full_precision(self.compare, both, gather(directions)[:DIRECTIONS])

    def compare(
        self, both: Float[Tensor, "2 n k"], directions: Float[Tensor, "m k"]
    ) -> Float[Tensor, ""]:
        """Both terms."""
        h1, h2 = both
        agree = (h1 - h2).square().sum(1).mean()
        gaussian = (sigreg(h1, directions) + sigreg(h2, directions)) / 2
        loss: Tensor = (1 - self.lamb) * agree + self.lamb * gaussian
        return loss

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """h, as ``code`` and ``mean``.

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("it sees whole images; leave ids_keep out")
        h = self.represent(batch.images)
        return {"code": h, "mean": h}
