"""The mask graph of a finite world, and what contrasting on it can recover.

An image is a row of discrete tokens, a mask splits it in a visible part x1 and a
masked part x2, and A_M(x1, x2) is the probability of the
pair. With the marginals d1, d2 on its two sides, Ā = D1^-1/2 A_M D2^-1/2, and
A_aug = Ā Āᵀ links visible parts that share a masked part: the positive pair (x1, x1⁺)
has probability (D1^1/2 A_aug D1^1/2)(x1, x1⁺).

Losses are exact expectations; features hold one row a visible part.

For n images of l tokens and M masks, ``mask_graph`` sorts n M rows, in O(n M l log n M)
time, and keeps A_M and the views dense, x1 (x2 + n) numbers; both x1 and x2 may reach
n M. ``spectrum`` takes O(x1³ + x1² x2) time and O(x1² + x1 x2) memory.

References:
    Zhang et al. 2022, arXiv 2210.08344, Theorems 3.2, 3.3 and 4.1.
    HaoChen et al. 2021, arXiv 2106.04156: the spectral contrastive loss.
"""

from itertools import combinations
from typing import NamedTuple

import torch
from jaxtyping import Float64, Int, Int64
from torch import Tensor

_HIDDEN = -1  # stands where a part has no token


class MaskGraph(NamedTuple):
    """A finite world seen through masks.

    Args:
        adjacency: A_M, probability of (visible part, masked part); sums to 1.
        visible: Tokens of each x1; -1 where masked, or behind them if the parts know
            no positions.
        masked: Tokens of each x2, likewise.
        views: Probability of (visible part, image).
    """

    adjacency: Float64[Tensor, "x1 x2"]
    visible: Int64[Tensor, "x1 l"]
    masked: Int64[Tensor, "x2 l"]
    views: Float64[Tensor, "x1 n"]


class Spectrum(NamedTuple):
    """Eigenvectors of A_aug, largest eigenvalue (always 1) first.

    Args:
        eigenvalues: In [0, 1].
        eigenvectors: Orthonormal columns.
    """

    eigenvalues: Float64[Tensor, " x1"]
    eigenvectors: Float64[Tensor, "x1 x1"]


def all_masks(length: int, n_masked: int) -> Int64[Tensor, "masks l"]:
    """Every mask that removes ``n_masked`` of ``length`` tokens (0 = keep, 1 = remove).

    Raises:
        ValueError: If nothing would be masked, or nothing visible.

    >>> all_masks(3, 1).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    if not 0 < n_masked < length:
        raise ValueError(f"n_masked is {n_masked}; give a number in 1..{length - 1}")
    removed = torch.tensor(list(combinations(range(length), n_masked)))
    masks = torch.zeros(len(removed), length, dtype=torch.int64)
    return masks.scatter_(1, removed, 1)


def mask_graph(
    tokens: Int64[Tensor, "n l"],
    probability: Float64[Tensor, " n"],
    masks: Int[Tensor, "masks l"],
    *,
    positions: bool = True,
) -> MaskGraph:
    """The mask graph of a world; identical parts are one node.

    The masks' complements give A_M's transpose: uniform masks have equal tails T_k at
    ρ and 1-ρ, while the labelling error only grows with ρ.

    Args:
        tokens: Images, each a row of ids >= 0.
        probability: Of each image, > 0; sums to 1.
        masks: Equally likely; 0 = keep, 1 = remove.
        positions: Whether a part knows the places of its tokens, as an MAE's does.
            Different masks then share no node, and A_aug has an eigenvalue 1 for
            each of them. If not, a part is its tokens in their order.

    Raises:
        ValueError: If an argument is outside its range.
    """
    _check_world(tokens, probability, masks)
    n, count = len(tokens), len(masks)
    images = torch.arange(n, device=tokens.device).repeat(count)
    removed = masks.repeat_interleave(n, 0).bool()
    every = tokens.repeat(count, 1)
    visible, row = _nodes(every, removed, positions)
    masked, column = _nodes(every, ~removed, positions)
    weight = probability.repeat(count) / count
    adjacency = weight.new_zeros(len(visible), len(masked))
    views = weight.new_zeros(len(visible), n)
    adjacency.index_put_((row, column), weight, accumulate=True)
    views.index_put_((row, images), weight, accumulate=True)
    return MaskGraph(adjacency, visible, masked, views)


def normalise(adjacency: Float64[Tensor, "x1 x2"]) -> Float64[Tensor, "x1 x2"]:
    """Ā = D1^-1/2 A D2^-1/2.

    Raises:
        ValueError: If A is no joint probability, or a node has no neighbour.
    """
    total = adjacency.sum()
    if (adjacency < 0).any() or not torch.isclose(total, torch.ones_like(total)):
        raise ValueError("adjacency is no joint probability; divide it by its sum")
    rows, columns = adjacency.sum(1), adjacency.sum(0)
    if not (rows > 0).all() or not (columns > 0).all():
        raise ValueError("adjacency has a node without neighbours; leave it out")
    return adjacency / (rows[:, None] * columns).sqrt()


def augmentation_graph(
    adjacency: Float64[Tensor, "x1 x2"],
) -> Float64[Tensor, "x1 x1"]:
    """A_aug = Ā Āᵀ: normalised, symmetric, eigenvalues in [0, 1]."""
    normal = normalise(adjacency)
    return normal @ normal.T


def spectrum(adjacency: Float64[Tensor, "x1 x2"]) -> Spectrum:
    """Eigenvalues and eigenvectors of A_aug."""
    eigenvalues, vectors = torch.linalg.eigh(augmentation_graph(adjacency))
    return Spectrum(eigenvalues.flip(0).clamp(0, 1), vectors.flip(1))


def tail_sum(adjacency: Float64[Tensor, "x1 x2"], k: int) -> float:
    """T_k = Σ_{i>k} λ_i² of A_aug: what features of width k leave out.

    Args:
        adjacency: A_M.
        k: Feature width, in 0..number of visible parts.

    Raises:
        ValueError: If k is outside its range.
    """
    _check_width(k, 0, len(adjacency))
    return spectrum(adjacency).eigenvalues[k:].square().sum().item()


def labelling_error(graph: MaskGraph, labels: Int64[Tensor, " n"]) -> float:
    """α: probability that the likeliest label of the view is not the image's label.

    1 - Σ_{x1} max_y P(x1, y), the Bayes error of reading the label off a visible part.

    Args:
        graph: See ``mask_graph``.
        labels: Of each image, >= 0.

    Returns:
        In [0, 1 - share of the commonest label]; 0 if no mask hides the label.

    Raises:
        ValueError: If the labels are not one an image, or negative.
    """
    if len(labels) != graph.views.shape[1] or (labels < 0).any():
        raise ValueError(f"{len(labels)} labels do not fit; give one >= 0 an image")
    classes = torch.nn.functional.one_hot(labels).double()
    return (1 - (graph.views @ classes).max(1).values.sum()).item()


def spectral_minimiser(
    adjacency: Float64[Tensor, "x1 x2"], k: int
) -> Float64[Tensor, "x1 k"]:
    """Features of width k with the least ``spectral_loss``: D1^-1/2 U_k Λ_k^1/2.

    Every other minimiser is these turned by an orthogonal matrix, if λ_k > λ_{k+1}.

    Args:
        adjacency: A_M.
        k: Feature width, in 1..number of visible parts.

    Raises:
        ValueError: If k is outside its range.
    """
    _check_width(k, 1, len(adjacency))
    values, vectors = spectrum(adjacency)
    return vectors[:, :k] * values[:k].sqrt() / adjacency.sum(1, keepdim=True).sqrt()


def spectral_loss(
    features: Float64[Tensor, "x1 k"], adjacency: Float64[Tensor, "x1 x2"]
) -> Float64[Tensor, ""]:
    """-2 E zᵀz⁺ + E (zᵀz')² = ||A_aug - F Fᵀ||² - ||A_aug||², F = D1^1/2 Z."""
    return 2 * align_loss(features, adjacency) + unif_loss(features, adjacency)


def align_loss(
    features: Float64[Tensor, "x1 k"], adjacency: Float64[Tensor, "x1 x2"]
) -> Float64[Tensor, ""]:
    """L_align = -E h(x1)ᵀ h(x1⁺) = -tr(Hᵀ A_aug H), rows of H weighted by √d1."""
    return -(normalise(adjacency).T @ _weighted(features, adjacency)).square().sum()


def unif_loss(
    features: Float64[Tensor, "x1 k"], adjacency: Float64[Tensor, "x1 x2"]
) -> Float64[Tensor, ""]:
    """L_unif = E (zᵀz')² over independent pairs, the equal ones included.

    It is tr(S²) with S = E z zᵀ: for unit-norm z, one over the participation ratio.
    """
    weighted = _weighted(features, adjacency)
    return (weighted.T @ weighted).square().sum()


def asym_loss(
    features: Float64[Tensor, "x1 k"],
    targets: Float64[Tensor, "x2 k"],
    adjacency: Float64[Tensor, "x1 x2"],
) -> Float64[Tensor, ""]:
    """L_asym = -E h(x1)ᵀ h_g(x2) = -tr(H1ᵀ Ā H2).

    For unit-norm outputs it is at least L_align / 2 - 1/2.
    """
    return -(features * (adjacency @ targets)).sum()


def _nodes(tokens: Tensor, hidden: Tensor, positions: bool) -> tuple[Tensor, Tensor]:
    """The different parts, and which of them each row is."""
    parts = tokens.masked_fill(hidden, _HIDDEN)
    if not positions:
        parts = parts.gather(1, hidden.long().argsort(dim=1, stable=True))
    nodes, index = torch.unique(parts, dim=0, return_inverse=True)
    return nodes, index


def _weighted(features: Tensor, adjacency: Tensor) -> Tensor:
    return adjacency.sum(1, keepdim=True).sqrt() * features


def _check_width(k: int, least: int, most: int) -> None:
    if not least <= k <= most:
        raise ValueError(f"k is {k}; give an integer in {least}..{most}")


def _check_world(tokens: Tensor, probability: Tensor, masks: Tensor) -> None:
    if (tokens < 0).any():
        raise ValueError(f"tokens has {int(tokens.min())}; give ids >= 0")
    total = probability.sum()
    if (probability <= 0).any() or not torch.isclose(total, torch.ones_like(total)):
        raise ValueError(f"probability sums to {total:.6g}; give positive shares of 1")
    if not ((masks == 0) | (masks == 1)).all():
        raise ValueError("masks has entries other than 0 (keep) and 1 (remove)")
    hidden = masks.sum(1)
    if len(masks) == 0 or (hidden == 0).any() or (hidden == masks.shape[1]).any():
        raise ValueError("masks must each hide something and show something")
