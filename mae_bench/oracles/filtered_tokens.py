"""What a hierarchy's masked tokens are, of correlations up to a level and of all.

A token is the texture that is nearest to a leaf's pixels, and so its symbol, misread
with a probability that noise and the number of symbols decide. Textures are a regular
simplex of side d, so every other symbol is misread as often, and the symbol is read
rightly with the probability of the best of equidistant signals,

    E_z Φ(z + d / (√2 σ))^{v-1},    z normal.

The k-filtered decoder is belief propagation in the tree whose nodes of level k are
drawn independently, each from its own marginal: it knows correlations within the
sub-trees of these nodes and none between them. At k = depth it knows a leaf's marginal
alone; at k = 1 all but what the root ties together; without a filter it is Bayes. The
cross-entropy of its guesses is therefore the larger, the larger k.

References:
    Garnier-Brun et al. 2025, arXiv 2408.15138, whose filtered trees these are meant to
    be; of the paper its abstract was read, and this cut is our reading.
    Proakis, Digital Communications: error probability of orthogonal signals.
"""

import math

import torch
from jaxtyping import Float, Float64, Int64
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.oracles.belief_propagation import posteriors


def right(world: RandomHierarchy) -> float:
    """Probability that a leaf's token is its symbol."""
    textures = world.textures.cpu().double().flatten(1)
    side = (textures[0] - textures[1]).norm().item()
    shift = side / (math.sqrt(2) * world.noise)

    def density(z: float) -> float:
        return float(norm.pdf(z) * norm.cdf(z + shift) ** (world.symbols - 1))

    # Beyond ten deviations there is nothing.
    return float(quad(density, -10, 10, epsabs=1e-12)[0])


def confusion(world: RandomHierarchy) -> Float64[Tensor, "v v"]:
    """P(token | symbol), symbols down."""
    v, correct = world.symbols, right(world)
    wrong = max(0.0, 1 - correct) / (v - 1)
    found = torch.full((v, v), wrong, dtype=torch.float64)
    return found.fill_diagonal_(1 - wrong * (v - 1))


def filters(world: RandomHierarchy) -> dict[str, int | None]:
    """Name -> level that is cut, from a leaf's marginal to Bayes, which is ``full``.

    >>> filters(RandomHierarchy(torch.Generator(), rules="random:2,shift:4"))
    {'cut_2': 2, 'cut_1': 1, 'full': None}
    """
    cuts: dict[str, int | None] = {f"cut_{k}": k for k in range(world.depth, 0, -1)}
    return cuts | {"full": None}


def token_law(
    world: RandomHierarchy,
    images: Float[Tensor, "n 1 h w"],
    mask: Float[Tensor, "#n leaves"],
    *,
    cut: int | None = None,
) -> Float64[Tensor, "n leaves v"]:
    """P(token | visible pixels) of every leaf, as if all were masked.

    Args:
        world: The images' own.
        images: What stands in masked leaves does not matter.
        mask: Of each image, or one for all.
        cut: Level that is severed from above; see ``belief_propagation``.

    Raises:
        ValueError: As ``posteriors``.
    """
    leaves = posteriors(world, images, mask, cut=cut)[f"level_{world.depth}"]
    return leaves @ confusion(world).to(leaves.device)


def cross_entropy(
    law: Float[Tensor, "n leaves v"],
    tokens: Int64[Tensor, "n leaves"],
    mask: Float[Tensor, "n leaves"],
) -> float:
    """Mean of -log P(token) over the masked leaves of all images, in nats.

    >>> law = torch.tensor([[[0.5, 0.5], [0.1, 0.9]]])
    >>> round(cross_entropy(law, torch.tensor([[0, 0]]), torch.tensor([[1.0, 0]])), 4)
    0.6931
    """
    likely = law.gather(2, tokens[..., None])[..., 0]
    return float(-likely[mask == 1].log().mean())


def divergence(
    law: Float[Tensor, "n leaves v"],
    log_guess: Float[Tensor, "n leaves v"],
    mask: Float[Tensor, "n leaves"],
) -> float:
    """Mean of KL(law | guess) over the masked leaves of all images, in nats.

    >>> law, guess = torch.tensor([[[0.5, 0.5]], [[0.25, 0.75]]])[:, None]
    >>> round(divergence(law, guess.log(), torch.ones(1, 1)), 4)
    0.1438
    """
    gap = torch.special.xlogy(law, law) - law * log_guess
    return float(gap.sum(2)[mask == 1].mean())
