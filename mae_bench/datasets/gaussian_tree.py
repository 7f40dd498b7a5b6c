"""A quadtree of Gaussian causes: coarse ones move the image, fine ones its patches.

The root is z_0 ~ N(0, I_k). A node below is z_c = a Q_c z_parent + sqrt(1 - a²) ε,
ε ~ N(0, I_k), with a rotation Q_c of its own, so that Var(z) = I at every node.
A leaf paints its square of pixels, x = W z_leaf + σ ε.

A node's children are the quarters of its block; the nodes of a level stand in raster
order of their blocks (row by row), k numbers each. All steps are linear, so pixels and
latents are jointly Gaussian, with an exact covariance.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated, orthant
from mae_bench.models.haar import orthonormal, rotations


class GaussianTree(Generated):
    """Images of ``leaf_size * 2**tree_depth`` pixels a side, from a tree of causes.

    Every edge has its Q_c, without which the mean of the patches would tell the root;
    the leaves share W, since the rotations above them tell
    them apart already. W has orthogonal columns of equal length and gives a pixel
    variance 1 on average, to which noise adds σ².

    The class of an image is the orthant of its root's first two coordinates (one if
    k = 1): bit i of the label says that coordinate i is positive. The classes are
    equally likely.

    n images of d pixels take O(n d k) time and O(n d) memory, and a level more makes d
    four times as large. The covariance takes O(d² k N) time, N nodes in the tree, and
    O(d²) memory, once.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(
        self,
        generator: torch.Generator,
        *,
        tree_depth: int = 2,
        node_width: int = 2,
        parent_weight: float = 0.9,
        pixel_noise: float = 0.5,
        leaf_size: int = 2,
        channels: int = 1,
        shared_level: int = 0,
        **settings: Any,
    ) -> None:
        """Draw the world's parameters, Q_c and W.

        Args:
            generator: Draws them.
            tree_depth: Levels below the root, at least 1.
            node_width: k, at most the number of values in a leaf's square.
            parent_weight: a, in (0, 1).
            pixel_noise: σ > 0.
            leaf_size: Side of a leaf's square, in pixels.
            channels: c.
            shared_level: The last level, in 0..tree_depth, that ``redraw`` keeps.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        values = leaf_size**2 * channels
        for name, value, low, high in (
            ("tree_depth", tree_depth, 1, math.inf),
            ("leaf_size", leaf_size, 1, math.inf),
            ("channels", channels, 1, math.inf),
            ("node_width", node_width, 1, values),
            ("shared_level", shared_level, 0, tree_depth),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; choose in {low}..{high}")
        if not 0 < parent_weight < 1:
            raise ValueError(f"parent_weight is {parent_weight}; choose in (0, 1)")
        if not 0 < pixel_noise < math.inf:
            raise ValueError(f"pixel_noise is {pixel_noise}; choose a number above 0")

        self.channels = channels
        self.image_size = leaf_size * 2**tree_depth
        self.levels = tuple(f"level_{level}" for level in range(tree_depth + 1))
        self.num_classes = 2 ** min(2, node_width)
        self.node_width = node_width
        self.parent_weight = parent_weight
        self.pixel_noise = pixel_noise
        self.shared_level = shared_level

        # Q_c of each level [row, column of the parent, and of the child in it, k, k].
        k, sides = node_width, [2**level for level in range(tree_depth)]
        self._rotations = [
            rotations(4 * s**2, k, generator).view(s, s, 2, 2, k, k) for s in sides
        ]
        patterns = orthonormal(1, values, k, generator) * math.sqrt(values / k)
        self._patterns = patterns.view(leaf_size, leaf_size, channels, k)
        self._sampling = [m.float() for m in (*self._rotations, self._patterns)]

    @property
    def widths(self) -> list[int]:
        """Latents of each level: 4^level k."""
        return [4**level * self.node_width for level in range(len(self.levels))]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with the latents of all nodes."""
        return self._draw(n, [], generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same latents down to ``shared_level``; all below and the noise anew.

        Raises:
            ValueError: The images are of another world.
        """
        if tuple(batch.latents) != self.levels:
            raise ValueError(
                f"images with latents {tuple(batch.latents)} are no images of this "
                f"tree; give a batch with {self.levels}"
            )
        kept = list(batch.latents.values())[: self.shared_level + 1]
        return self._draw(len(batch), kept, generator)

    def covariance(self) -> Float64[Tensor, "d d"]:
        """Cov(x)."""
        return self._moments[0]

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "_ d"]]:
        """Level -> Cov(z, x), rows in the order of the latents."""
        return self._moments[1]

    def parameters(self) -> Mapping[str, Tensor]:
        """Q_c of each level and W, to the precision that images are drawn with."""
        named = {f"rotations_{i}": q for i, q in enumerate(self._rotations, start=1)}
        return {
            name: matrix.float()
            for name, matrix in {**named, "patterns": self._patterns}.items()
        }

    @cached_property
    def _moments(self) -> tuple[Tensor, dict[str, Tensor]]:
        # Latents and signal are linear in the ε of all nodes, Var(ε) = I: growing the
        # tree from the unit vectors gives their loadings on each ε.
        unit = torch.eye(sum(self.widths), dtype=torch.float64)
        latents = self._grow([], torch.split(unit, self.widths, 1), self._rotations)
        signal = paint(self._grid(latents[-1]), self._patterns).flatten(1)
        noise = self.pixel_noise**2 * torch.eye(signal.shape[1], dtype=torch.float64)
        cross = [z.T @ signal for z in latents]
        return signal.T @ signal + noise, dict(zip(self.levels, cross, strict=True))

    def _draw(self, n: int, kept: list[Tensor], generator: torch.Generator) -> Batch:
        """Images whose first levels are ``kept``."""
        side, device = self.image_size, generator.device
        widths = [*self.widths[len(kept) :], self.channels * side**2]
        noise = torch.randn(n, sum(widths), generator=generator, device=device)
        *fresh, grain = torch.split(noise, widths, 1)
        # The world moves to the generator's device, and stays there.
        self._sampling = [matrix.to(device) for matrix in self._sampling]
        *rotations, patterns = self._sampling
        latents = self._grow(kept, fresh, rotations)
        images = paint(self._grid(latents[-1]), patterns)
        images = images.add(grain.view_as(images), alpha=self.pixel_noise)
        levels = dict(zip(self.levels, latents, strict=True))
        return Batch(images, levels, orthant(latents[0][:, :2]))

    def _grow(
        self, kept: list[Tensor], fresh: Sequence[Tensor], rotations: list[Tensor]
    ) -> list[Float[Tensor, "n _"]]:
        """Latents of all levels: those ``kept``, and the rest from its ε [n, 4^l k]."""
        a, latents, fresh = self.parent_weight, list(kept), list(fresh)
        if not latents:
            latents.append(fresh.pop(0))
        for rotation, noise in zip(rotations[len(latents) - 1 :], fresh, strict=True):
            turned = torch.einsum(
                "nrsj,rspqij->nrpsqi", self._grid(latents[-1]), rotation
            )
            child = a * turned.flatten(1) + math.sqrt(1 - a**2) * noise
            latents.append(child)
        return latents

    def _grid(self, z: Tensor) -> Float[Tensor, "n side side k"]:
        """A level's nodes where their blocks are."""
        side = math.isqrt(z.shape[1] // self.node_width)
        return z.view(len(z), side, side, self.node_width)


def paint(
    z: Float[Tensor, "n side side k"], patterns: Float[Tensor, "p p c k"]
) -> Float[Tensor, "n c h w"]:
    """W z of every leaf, in its place."""
    squares = torch.einsum("nrsk,pqck->ncrpsq", z, patterns)
    return squares.flatten(4).flatten(2, 3)
