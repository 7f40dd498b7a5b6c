"""When a deep linear network learned each mode, and how far, beside gradient flow."""

from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.linear_pair import SIDE, LinearPair
from mae_bench.methods import Method
from mae_bench.methods.deep_linear import DeepLinear
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.deep_linear import half_time, plateau_exponent

# A mode has learned if it left its start and no longer moves.
GROWTH, REST = 1.5, 0.05


@metric(
    reads="encoder",
    direction="none",
    unit={
        "exponent*": "exponent",
        "time_gap": "relative difference",
        "*": "ratio of times",
    },
    version=1,
    source="Littwin et al. 2024, arXiv 2407.03475",
)
def mode_times(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Ratios of the modes' learning times, and the exponent of their plateaus.

    A mode's time is when its amplitude first is half its plateau, its plateau the mean
    over the last tenth of the run.

    Args:
        method: A trained ``DeepLinear``.
        dataset: A ``LinearPair``, whose modes are known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``rho_bias``: time of the least ρ over that of the greatest at equal λ, in
        (0, inf); 1 if ρ does not matter, above 1 if large ρ comes first.
        ``lambda_speed``: time of the small λ over that of the large at equal ρ.
        ``exponent``: least-squares slope of log plateau over log ρ. The first two are
        geometric means over the other of λ and ρ; each also with ``_exact``, that of
        the gradient flow. ``time_gap``: largest relative error of a mode's time.

    Raises:
        Skip: Another method or world, or a mode that has not learned.
    """
    del batch, generator
    if not isinstance(method, DeepLinear):
        raise Skip(f"{type(method).__name__} is no deep linear network")
    if not isinstance(dataset, LinearPair):
        raise Skip(f"the modes of {type(dataset).__name__} are not known")
    amplitudes = method.amplitudes.double().cpu()
    plateau = settled(amplitudes)
    times = method.lr * half_steps(amplitudes, plateau)
    objective = cast(Literal["mae", "jepa"], method.objective)
    exact = torch.tensor(
        [
            half_time(lamb, rho, method.depth, objective, method.init_scale)
            for lamb, rho in zip(
                dataset.lamb.tolist(), dataset.rho.tolist(), strict=True
            )
        ],
        dtype=torch.float64,
    )
    found = {"time_gap": (times / exact - 1).abs().max().item()}
    for name, time in (("", times), ("_exact", exact)):
        grid = time.log().view(SIDE, -1)  # rows of one ρ, columns of one λ
        found[f"rho_bias{name}"] = (grid[-1] - grid[0]).mean().exp().item()
        found[f"lambda_speed{name}"] = (grid[:, 0] - grid[:, -1]).mean().exp().item()
    log_rho = dataset.rho.log() - dataset.rho.log().mean()
    slope = (log_rho @ plateau.log()) / log_rho.square().sum()
    found["exponent"] = slope.item()
    found["exponent_exact"] = plateau_exponent(method.depth, objective)
    return found


def settled(amplitudes: Float[Tensor, "t d"]) -> Float[Tensor, " d"]:
    """Mean amplitude of each mode over the last tenth of the run.

    Raises:
        Skip: A mode is still where it began, or still moves.
    """
    tenth = max(1, len(amplitudes) // 10)
    last, before = (
        amplitudes[-(k + 1) * tenth : len(amplitudes) - k * tenth].mean(0)
        for k in (0, 1)
    )
    if (last < GROWTH * amplitudes[0]).any():
        raise Skip("a mode has not left its start; train longer")
    if ((last / before - 1).abs() > REST).any():
        raise Skip("a mode still moves at the end; train longer")
    return last


def half_steps(
    amplitudes: Float[Tensor, "t d"], plateau: Float[Tensor, " d"]
) -> Float[Tensor, " d"]:
    """When each mode first is at half its plateau, between steps, by interpolation."""
    half = plateau / 2
    after = (amplitudes >= half).double().argmax(0).clamp(min=1)
    low = amplitudes.gather(0, after[None] - 1)[0]
    high = amplitudes.gather(0, after[None])[0]
    return after - 1 + (half - low) / (high - low)
