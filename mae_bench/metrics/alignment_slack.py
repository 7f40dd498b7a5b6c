"""How far features of drifting causes are from a rotation of them, and may be."""

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.methods import Method
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.lejepa_bounds import (
    distance_bound,
    isotropy_error,
    orthogonal_distance,
    shape_r2,
)

IMAGES = 20_000


@metric(
    reads="encoder",
    direction="none",
    unit={
        "r2_exact": "R2",
        "distance": "squared distance",
        "bound": "squared distance",
        "*": "ratio to the bound",
    },
    version=1,
    source="Klindt, LeCun & Balestriero 2026, arXiv 2605.26379",
)
def alignment_slack(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Both sides of the bounds LJ1 and LJ2, over 20,000 fresh pairs.

    Args:
        method: One whose ``code`` has as many features as there are causes.
        dataset: An ``OUMixing``.
        batch: Not looked at.
        generator: Draws the pairs.

    Returns:
        ``loss``: E|h(x') - h(x)|² over 2 (1-ρ) tr Cov h, at least 1 by LJ1, as near as
        sampling lets it; ``loss_square``: over the least of functions without linear
        part, with ρ² for ρ. ``distance``: min_Q E|h - Q u|²; ``bound``: that of LJ2;
        ``excess``: the first over the second, at most 1; ``excess_unturned``: that of
        E|h - u|², without a rotation. ``r2_exact``: what a perfect h tells of z.

    Raises:
        Skip: Another world, or another number of features.
    """
    del batch
    if not isinstance(dataset, OUMixing):
        raise Skip(f"the drift of {type(dataset).__name__} is not known")
    one = dataset.sample(IMAGES, generator)
    u = one.latents["level_1"].double().cpu()
    pair = (one, dataset.redraw(one, generator))
    found = [method.features(x) for x in pair]
    if any("code" not in f or f["code"].shape != u.shape for f in found):
        raise Skip(f"its code has not {u.shape[1]} features, as the causes")
    h, after = (f["code"].double().cpu() for f in found)
    rho = dataset.rho
    covariance = (torch.cov(h.T) + torch.cov(after.T)) / 2
    loss = (after - h).square().sum(1).mean().item()
    energy = covariance.trace().item()
    least = 2 * (1 - rho) * energy
    isotropy = isotropy_error(covariance)
    distance = orthogonal_distance(h, u)
    bound = distance_bound(loss - least, isotropy, rho)
    return {
        "loss": loss / least,
        "loss_square": loss / (2 * (1 - rho**2) * energy),
        "distance": distance,
        "bound": bound,
        "excess": distance / bound,
        "excess_unturned": (h - h.mean(0) - u).square().sum(1).mean().item() / bound,
        "r2_exact": shape_r2(dataset.alpha),
    }
