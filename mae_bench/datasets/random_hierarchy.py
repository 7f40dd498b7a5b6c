"""A quadtree of symbols: random rules spell out a class in a mosaic of textures.

The root is one of v symbols, the class, each as likely. A node of symbol p picks one of
its level's m productions of p, each as likely: four symbols, one for each child. No two
symbols share a production, so four children always tell their parent. A leaf paints its
square of pixels with its symbol's texture, x = t_symbol + σ ε.

A node's children are the quarters of its block; the nodes of a level stand in raster
order of their blocks (row by row). What the class has to do with a single leaf, or with
some, is decided by the family of each level's rules:

* ``random``: any four symbols.
* ``shift``: (r, r + D_1, r + D_2, r + D_3) modulo v, where p sets D in {0, 1}³ and r
  sets the production; then each child's symbols are renamed. With all v productions a
  single child is independent of its parent, though not of its siblings.
* ``balanced``: (a, p - a, b, p - b) modulo v, where a and b set the production. With
  all v² a single child, or one of each pair, is independent of the parent.

References:
    Cagnetta et al. 2024, arXiv 2307.02129: the random hierarchy model.
"""

import math
from collections.abc import Mapping
from itertools import product
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64, Int64
from scipy.linalg import helmert
from torch import Tensor

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import orthonormal

FAMILIES = ("random", "shift", "balanced")


class RandomHierarchy(Generated):
    """Images of ``leaf_size * 2**depth`` pixels a side, from a grammar of symbols.

    Every level has rules of its own, which all its nodes follow. The textures are the
    corners of a regular simplex around 0, with mean square 1 over a leaf's pixels.

    At the defaults a leaf alone says nothing of the class, and linear read-outs of the
    pixels next to nothing, while all leaves give it. Small networks then guess a masked
    leaf from its siblings, without the class, though it would help; in the easier world
    ``symbols=3, rules="random:2,shift:3"`` they use it.

    Accuracy of the class above chance, in points, by a linear probe of 2,000 images
    (mean of the tokens) and by belief propagation; mean over three seeds::

        leaves  symbols  rules                       pixels  untrained  mae  exact
        16      4        random:2,shift:4                 8         13   34     75
        16      3        random:2,shift:3                 3         16   44     67
        64      3        random:1,random:2,shift:3        4          3   13     67

    MAE: width 48, depth 3, a quarter of single leaves masked; of 16 leaves 1,400 steps
    of 64 images, of 64 leaves 2,000 of 48. A seed spreads by 2 to 4 points at the
    pixels, by 7 to 9 at MAE; of 64 leaves one seed of three was still at the pixels. A
    supervised encoder (one seed of 64 leaves) reads 70 of 75, and 15 of 67.

    n images of d pixels take O(n d) time and memory, and a level more makes d four
    times as large. The constructor takes O(v⁴) for each level of ``random`` rules.

    Attributes:
        rules: Of each level above the leaves, ``[v, m, 4]``: the productions of each
            symbol, children in raster order.
        textures: ``[v, leaf_size, leaf_size]``.
        root_law: ``[v]``, of the class; each as likely if None.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)
    root_law: Tensor | None = None

    def __init__(
        self,
        generator: torch.Generator,
        *,
        symbols: int = 4,
        rules: str = "random:2,shift:4",
        leaf_size: int = 2,
        noise: float = 0.2,
        **settings: Any,
    ) -> None:
        """Draw the rules and the textures.

        Args:
            generator: Draws them.
            symbols: v, at least 2, on every level.
            rules: ``family:m`` of each level from the root down, with m productions a
                symbol, drawn from the family; so many levels stand below the root.
            leaf_size: Side of a leaf's square, in pixels; at least v - 1 pixels.
            noise: σ > 0, of the pixels.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range, or no rules are understood.
        """
        super().__init__(generator, **settings)
        if symbols < 2:
            raise ValueError(f"symbols is {symbols}; choose at least 2")
        if leaf_size < 1 or leaf_size**2 < symbols - 1:
            raise ValueError(
                f"leaf_size is {leaf_size}; {symbols} textures need "
                f"{symbols - 1} pixels"
            )
        if not 0 < noise < math.inf:
            raise ValueError(f"noise is {noise}; choose a number above 0")
        self.rules = tuple(
            draw_rules(*parse(rule), symbols, generator) for rule in rules.split(",")
        )
        textures = simplex(symbols, leaf_size**2, generator)
        self.textures = textures.view(symbols, leaf_size, leaf_size).float()
        self.channels = 1
        self.depth = len(self.rules)
        self.image_size = leaf_size * 2**self.depth
        self.levels = tuple(f"level_{level}" for level in range(self.depth + 1))
        self.num_classes = self.symbols = symbols
        self.noise = noise

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images; the latents are one-hot symbols of all nodes, 0 or 1."""
        root = torch.randint(
            self.symbols, (n,), generator=generator, device=generator.device
        )
        return self._spell(root, generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same class; all productions and the noise anew.

        Raises:
            ValueError: The images have no labels, so are of another world.
        """
        if batch.labels is None:
            raise ValueError("images without labels are of another world; give labels")
        return self._spell(batch.labels, generator)

    def parameters(self) -> Mapping[str, Tensor]:
        """Rules of each level and textures."""
        named = {f"rules_{level}": rule for level, rule in enumerate(self.rules)}
        return {**named, "textures": self.textures}

    def _spell(self, root: Tensor, generator: torch.Generator) -> Batch:
        device = generator.device
        # The world moves to the generator's device, and stays there.
        self.rules = tuple(rule.to(device) for rule in self.rules)
        self.textures = self.textures.to(device)
        levels = [root[:, None]]
        for rule in self.rules:
            parent = levels[-1]
            r = torch.randint(
                rule.shape[1], parent.shape, generator=generator, device=device
            )
            levels.append(to_raster(rule[parent, r]))
        one_hot = torch.eye(self.symbols, device=device)
        latents = {
            name: one_hot[s].flatten(1)
            for name, s in zip(self.levels, levels, strict=True)
        }
        images = paint(self.textures[levels[-1]])
        grain = torch.randn(images.shape, generator=generator, device=device)
        return Batch(images.add_(grain, alpha=self.noise), latents, root)


def to_raster(children: Tensor) -> Tensor:
    """Children of each node ``[n, nodes, 4, ...]`` -> ``[n, 4 nodes, ...]`` in place.

    >>> to_raster(torch.arange(16).view(1, 4, 4)).view(4, 4)[0].tolist()
    [0, 1, 4, 5]
    """
    n, nodes, _, *rest = children.shape
    side = math.isqrt(nodes)
    blocks = children.view(n, side, side, 2, 2, *rest).transpose(2, 3)
    return blocks.reshape(n, 4 * nodes, *rest)


def to_children(nodes: Tensor) -> Tensor:
    """A level ``[n, nodes, ...]`` -> its parents' children ``[n, nodes / 4, 4, ...]``.

    >>> to_children(torch.arange(16).view(1, 16))[0, 0].tolist()
    [0, 1, 4, 5]
    """
    n, count, *rest = nodes.shape
    side = math.isqrt(count) // 2
    blocks = nodes.view(n, side, 2, side, 2, *rest).transpose(2, 3)
    return blocks.reshape(n, count // 4, 4, *rest)


def paint(squares: Float[Tensor, "n leaves p p"]) -> Float[Tensor, "n 1 h w"]:
    """Each leaf's pixels in its place."""
    n, leaves, p, _ = squares.shape
    side = math.isqrt(leaves)
    rows = squares.view(n, side, side, p, p).transpose(2, 3)
    return rows.reshape(n, 1, side * p, side * p)


def parse(rule: str) -> tuple[str, int]:
    """Family and number of productions.

    Raises:
        ValueError: The rule is not ``family:m``.

    >>> parse("random:2")
    ('random', 2)
    """
    family, _, m = rule.strip().partition(":")
    if family not in FAMILIES or not m.isdecimal():
        raise ValueError(
            f"rule {rule!r} is not understood; give family:m of each level, such as "
            f"'random:2,shift:4', with a family of {', '.join(FAMILIES)}"
        )
    return family, int(m)


def draw_rules(
    family: str, m: int, symbols: int, generator: torch.Generator
) -> Int64[Tensor, "v m 4"]:
    """Productions of each symbol, m different ones, none shared by two symbols.

    Raises:
        ValueError: The family has fewer productions, or no room for the symbols.
    """
    if family == "shift" and symbols > 8:
        raise ValueError(f"symbols is {symbols}; rules of shift have room for 8")
    most = {"random": symbols**3, "shift": symbols, "balanced": symbols**2}[family]
    if not 1 <= m <= most:
        raise ValueError(
            f"rule '{family}:{m}' of {symbols} symbols; choose m in 1..{most}"
        )
    if family == "random":
        chosen = _shuffled(symbols**4, generator)[: symbols * m, None]
        place = symbols ** torch.arange(4)
        return (chosen // place % symbols).view(symbols, m, 4)
    if family == "shift":
        return _shift(m, symbols, generator)
    production = torch.stack(
        [_shuffled(symbols**2, generator)[:m] for _ in range(symbols)]
    )
    p = torch.arange(symbols)[:, None]
    a, b = production // symbols, production % symbols
    return torch.stack([a, p - a, b, p - b], 2) % symbols


def _shift(m: int, symbols: int, generator: torch.Generator) -> Tensor:
    steps = torch.tensor([(0, *step) for step in product((0, 1), repeat=3)])
    D = steps[_shuffled(8, generator)[:symbols]]
    r = torch.stack([_shuffled(symbols, generator)[:m] for _ in range(symbols)])
    names = torch.stack([_shuffled(symbols, generator) for _ in range(4)])
    children = (r[:, :, None] + D[:, None]) % symbols
    return names[torch.arange(4), children]


def simplex(
    corners: int, dimension: int, generator: torch.Generator
) -> Float64[Tensor, "corners dimension"]:
    """A regular simplex around 0, turned at random; mean square 1 in each corner."""
    flat = torch.from_numpy(helmert(corners)).T
    Q = orthonormal(1, dimension, corners - 1, generator)[0]
    return flat @ Q.T * math.sqrt(dimension / (1 - 1 / corners))


def _shuffled(n: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(n, generator=generator, device=generator.device).cpu()
