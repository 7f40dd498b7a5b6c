"""Evidence from masked scores: whether they add up to it, and what a choice loses."""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.methods import Method
from mae_bench.methods.masked_likelihood import GRID
from mae_bench.methods.masked_score import MaskedScore
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.cumulative_score import mean_log_likelihoods
from mae_bench.oracles.masked_likelihood import chain

MASKS = 4  # drawn for each image and size
IMAGES = 2000


def conditionals(
    model: Float64[Tensor, "d d"], x: Float64[Tensor, "n d"], order: Tensor
) -> Float64[Tensor, "n d"]:
    """Log q of the M-th last pixel of an order given those before, of M = 1..d.

    Args:
        model: Covariance of q.
        x: Images.
        order: A permutation of the pixels for each image, [n, d].
    """
    inside = x.gather(1, order)
    q = model[order[:, :, None], order[:, None]]
    factor = torch.linalg.cholesky(q)
    white = torch.linalg.solve_triangular(factor, inside[..., None], upper=False)
    spread = factor.diagonal(dim1=1, dim2=2).log()
    found: Tensor = -0.5 * white[..., 0].square() - spread - 0.5 * math.log(2 * math.pi)
    return found.flip(1)


@metric(
    reads="encoder",
    direction="none",
    version=1,
    unit="nats an image",
    source="Moreno-Muñoz, Recasens & Hauberg 2023, arXiv 2306.00520",
)
def evidence(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Log evidence of a fitted chain, by masks that are drawn anew for every size.

    Args:
        method: A ``MaskedScore``.
        dataset: A Gaussian world, whose covariance is known.
        batch: Images of it.
        generator: Draws the masks.

    Returns:
        ``log_likelihood``: mean log q of the images; ``cumulative``: Σ_M of the mean
        score of masks of M pixels, each drawn for itself; ``single``: d times the score
        of single masked pixels. ``lost`` >= 0: exact mean log likelihood that
        another φ of the same chain would have more, in nats an image.

    Raises:
        Skip: Another method or world.
    """
    if not isinstance(method, MaskedScore):
        raise Skip(f"{type(method).__name__} chooses by no masked score")
    if not isinstance(dataset, LinearGaussian):
        raise Skip(f"the pixels' covariance of {type(dataset).__name__} is not known")
    d, phi = method.pixels, method.phi
    x = batch.images[:IMAGES].flatten(1)[:, :d].double().cpu()
    model = chain(d, phi)[0]
    device = generator.device
    sizes = torch.zeros(d, dtype=torch.float64)
    for size in range(d):
        for _ in range(MASKS):
            noise = torch.rand(x.shape, generator=generator, device=device).cpu()
            sizes[size] += conditionals(model, x, noise.argsort(1))[:, size].mean()
    sizes /= MASKS
    truth = dataset.covariance().cpu()[:d, :d]
    models = torch.stack([model, *(chain(d, p)[0] for p in GRID.tolist())])
    whole = mean_log_likelihoods(models, truth)[:, -1]
    return {
        "log_likelihood": conditionals(model, x, torch.arange(d).expand(len(x), d))
        .sum(1)
        .mean()
        .item(),
        "cumulative": sizes.sum().item(),
        "single": d * sizes[0].item(),
        "lost": (whole.max() - whole[0]).item(),
    }
