"""A quadtree of invertible mechanisms: Kong's first assumption, exactly and noise-free.

The root is z_0 ~ N(0, I). A node below is z = g([z_parent, ε]), ε ~ N(0, I), with a
g of its own: hidden + 1 random orthogonal matrices with leaky ReLUs between, then a
fixed shift and scale. So z has as many numbers as its parents and its ε together, and
determines them. A leaf's numbers are the pixels of its square.

A node's children are the quarters of its block; the nodes of a level stand in raster
order of their blocks (row by row). Node k of a level is called ``level/k``.

References:
    Kong et al. 2023, arXiv 2306.04898, Assumption 1.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import leaky_relu

from mae_bench.datasets import Batch, Generated, orthant
from mae_bench.models.haar import orthonormal

_CALIBRATION = 2**15  # images that fix a node's mean and variance, to about 1 %


class InvertibleTree(Generated):
    """Images whose every node is an invertible function of its parents and its ε.

    The levels are z of all nodes, ``level_0`` (the root) to the leaves (the pixels),
    then the ε of all but the root, ``eps_1`` on. The root and the ε are the intrinsic
    coordinates: independent, standard normal. A node's z has mean 0 and, over its
    numbers, mean variance 1.

    The class of an image is the orthant of its root's first two coordinates.

    n images of d pixels take O(n d w (hidden + 1)) time, w the pixels of a leaf, and
    O(n d) memory; a level more makes d at least four times as large. The constructor
    grows 32,768 of them to fix scales, in about 1 MB of memory a pixel.

    Attributes:
        leaf_size: Side of a leaf's square, in pixels.
        parents: Of each level below the root, ``[nodes, parents]``: its nodes' parents
            in the level above.
        slope: Of the leaky ReLUs.
        eps_widths: Numbers in the root, and in all ε of each level below.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(
        self,
        generator: torch.Generator,
        *,
        depth: int = 2,
        root_width: int = 2,
        eps_width: int = 1,
        slope: float = 0.3,
        hidden: int = 2,
        dag: bool = False,
        **settings: Any,
    ) -> None:
        """Draw the mechanisms g and fix their shifts and scales.

        Args:
            generator: Draws them.
            depth: Levels below the root, at least 1.
            root_width: Numbers in the root.
            eps_width: Numbers in each ε, at least 1. A leaf's numbers, ``root_width +
                depth * eps_width`` in a tree, fill its square of pixels.
            slope: Of the leaky ReLUs on the negative side, in (0, 1].
            hidden: Leaky ReLUs in each g; with 0 the world is linear and Gaussian.
            dag: A node has two parents where the level above has several: also the
                next block to the right of its parent's (cyclically), so that a level's
                z is twice as wide as that above, and its ε. It needs other widths:
                ``root_width=3`` at the other defaults.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range, or a leaf fills no square.
        """
        super().__init__(generator, **settings)
        for name, value, low in (
            ("depth", depth, 1),
            ("root_width", root_width, 1),
            ("eps_width", eps_width, 1),
            ("hidden", hidden, 0),
        ):
            if value < low:
                raise ValueError(f"{name} is {value}; choose at least {low}")
        if not 0 < slope <= 1:
            raise ValueError(f"slope is {slope}; choose in (0, 1]")

        self.parents = [parents_of(level, dag=dag) for level in range(1, depth + 1)]
        widths = [root_width]
        for above in self.parents:
            widths.append(above.shape[1] * widths[-1] + eps_width)
        leaf_size = math.isqrt(widths[-1])
        if leaf_size**2 != widths[-1]:
            raise ValueError(
                f"a leaf has {widths[-1]} numbers, which fill no square of pixels; "
                f"change root_width {root_width}, eps_width {eps_width} or depth"
            )
        self.channels = 1
        self.leaf_size = leaf_size
        self.image_size = leaf_size * 2**depth
        names = [f"level_{level}" for level in range(depth + 1)]
        self._eps = ("level_0", *(f"eps_{level}" for level in range(1, depth + 1)))
        self.levels = (*names, *self._eps[1:])
        self.num_classes = 2 ** min(2, root_width)
        self.slope = slope
        self.eps_widths = [root_width, *(4**i * eps_width for i in range(1, depth + 1))]
        self._mechanisms = self._calibrate(widths[1:], hidden, generator)

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with the latents of all nodes."""
        return self._grow(self._draw(n, generator))

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same root; all ε anew.

        Raises:
            ValueError: The images are of another world.
        """
        device = batch.images.device
        nodes = [4**level for level in range(len(self.eps_widths))]
        keep = [torch.full((1, k), k == 1, device=device) for k in nodes]
        return self.redraw_except(batch.latents, keep, generator)

    def redraw_except(
        self,
        latents: Mapping[str, Float[Tensor, "n _"]],
        keep: Sequence[Bool[Tensor, "_ _"]],
        generator: torch.Generator,
    ) -> Batch:
        """The same images but for the root or ε of all nodes that are not kept.

        What a node takes over from its parents follows them, kept or not.

        Args:
            latents: Of the images.
            keep: Of each level, root first, ``[n, nodes]`` (``[1, nodes]`` for the
                same nodes in all images): whether a node's own root or ε stays.
            generator: Draws the others, on its device.

        Raises:
            ValueError: The latents are of another world, or a level's flags are
                missing or too many.
        """
        if tuple(latents) != self.levels:
            raise ValueError(
                f"latents {tuple(latents)} are none of this tree; give {self.levels}"
            )
        given = [flags.shape[1] for flags in keep]
        nodes = [4**level for level in range(len(self.eps_widths))]
        if given != nodes:
            raise ValueError(f"keep has flags for {given} nodes; give {nodes}")
        old = [latents[name] for name in self._eps]
        fresh = self._draw(len(old[0]), generator)
        return self._grow(
            [
                torch.where(flags.repeat_interleave(e.shape[1] // k, 1), e, new)
                for k, flags, e, new in zip(nodes, keep, old, fresh, strict=True)
            ]
        )

    def graph(self) -> dict[str, tuple[str, ...]]:
        """Node -> parents, of all nodes but the root; the leaves are observed.

        Leaf k, in raster order, is ``depth/k``.
        """
        return {
            f"{level}/{node}": tuple(f"{level - 1}/{parent}" for parent in row)
            for level, above in enumerate(self.parents, start=1)
            for node, row in enumerate(above.tolist())
        }

    def parameters(self) -> Mapping[str, Tensor]:
        """Of each level, the matrices of g ``[nodes, k, k]``, and the shift.

        z = leaky_relu(u M_0) M_1 ... + shift, with u = [z_parents, ε] a row; the scale
        is in the last matrix.
        """
        return {
            f"{'shift' if i == 0 else f'matrix_{i - 1}'}_of_level_{level}": tensor
            for level, mechanism in enumerate(self._mechanisms, start=1)
            for i, tensor in enumerate(mechanism)
        }

    def _draw(self, n: int, generator: torch.Generator) -> list[Tensor]:
        """The root and the ε of each level, ``[n, nodes * width]``."""
        device, widths = generator.device, self.eps_widths
        noise = torch.randn(n, sum(widths), generator=generator, device=device)
        return list(torch.split(noise, widths, 1))

    def _grow(self, eps: list[Tensor]) -> Batch:
        """The images of a root and ε."""
        device = eps[0].device
        # The world moves to the images' device, and stays there.
        self._mechanisms = [[t.to(device) for t in m] for m in self._mechanisms]
        self.parents = [above.to(device) for above in self.parents]
        z, latents = eps[0].unsqueeze(0), [eps[0]]
        for above, mechanism, e in zip(
            self.parents, self._mechanisms, eps[1:], strict=True
        ):
            own = e.view(len(e), len(above), -1).transpose(0, 1)
            z = mix(gather(z, above, own), *mechanism, slope=self.slope)
            latents.append(z.transpose(0, 1).flatten(1))
        levels = dict(zip(self.levels, [*latents, *eps[1:]], strict=True))
        side, p = 2 ** len(self.parents), self.leaf_size
        squares = latents[-1].view(-1, side, side, p, p).transpose(2, 3)
        images = squares.reshape(-1, 1, side * p, side * p)
        return Batch(images, levels, orthant(eps[0][:, :2]))

    def _calibrate(
        self, widths: list[int], hidden: int, generator: torch.Generator
    ) -> list[list[Tensor]]:
        """Of each level (shift, *matrices) such that z has mean 0 and variance 1."""
        eps = [e.cpu().double() for e in self._draw(_CALIBRATION, generator)]
        z, mechanisms = eps[0].unsqueeze(0), []
        for above, width, e in zip(self.parents, widths, eps[1:], strict=True):
            own = e.view(len(e), len(above), -1).transpose(0, 1)
            matrices = [
                orthonormal(len(above), width, width, generator)
                for _ in range(hidden + 1)
            ]
            u, zero = gather(z, above, own), torch.zeros(len(above), 1, width).double()
            y = mix(u, zero, *matrices, slope=self.slope)
            mean = y.mean(1, keepdim=True)
            scale = y.var(1, keepdim=True).mean(2, keepdim=True).sqrt()
            z, matrices[-1] = (y - mean) / scale, matrices[-1] / scale
            mechanisms.append([t.float() for t in (-mean / scale, *matrices)])
        return mechanisms


def gather(
    z: Float[Tensor, "above n k"],
    parents: Int64[Tensor, "nodes p"],
    eps: Float[Tensor, "nodes n e"],
) -> Float[Tensor, "nodes n p*k+e"]:
    """[z_parents, ε] of every node of a level."""
    return torch.cat([z[parents].transpose(1, 2).flatten(2), eps], 2)


def mix(
    u: Float[Tensor, "nodes n k"],
    shift: Float[Tensor, "nodes 1 k"],
    *matrices: Float[Tensor, "nodes k k"],
    slope: float,
) -> Float[Tensor, "nodes n k"]:
    """Every node's g: matrices with leaky ReLUs between, then a shift."""
    for matrix in matrices[:-1]:
        u = leaky_relu(u @ matrix, slope)
    return torch.baddbmm(shift, u, matrices[-1])


def parents_of(level: int, *, dag: bool) -> Int64[Tensor, "nodes p"]:
    """Of each node of a quadtree's level, its parents' places in the level above.

    >>> parents_of(1, dag=True).tolist()
    [[0], [0], [0], [0]]
    >>> parents_of(2, dag=True)[:4].tolist()
    [[0, 1], [0, 1], [1, 0], [1, 0]]
    """
    side = 2 ** (level - 1)
    node = torch.arange(4 * side**2)
    row, column = node // (2 * side) // 2, node % (2 * side) // 2
    parents = [row * side + column]
    if dag and side > 1:
        parents.append(row * side + (column + 1) % side)
    return torch.stack(parents, 1)
