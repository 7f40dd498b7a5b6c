"""Whether a training had come to rest: what its second half still took off the loss."""

import math

from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics import Skip, metric

# Of the way from the first loss to its limit, what may be left undone.
LEFT = 0.05
# The most that the second half makes of an exponential that leaves no more.
BOUND = math.sqrt(LEFT) / (1 + math.sqrt(LEFT))
# Standard errors that are laid on top, for what noise could hide.
ERRORS = 2.0


@metric(
    reads="curve",
    direction="none",
    unit={
        "progress": "share of the way",
        "converged": "1 or 0",
        "*": "loss",
    },
    version=1,
    source="this suite; derived for exponential decay",
)
def convergence(curve: Float[Tensor, " t"]) -> dict[str, float]:
    """How much of the way the second half of a training made, and whether it rests.

    A loss that falls by a factor x in each half, to an unknown limit, makes in the
    second half the share p = x / (1 + x) of its way, and leaves x² = (p / (1 - p))² of
    the way to the limit undone. Less than 0.05 is left if p is below 0.183.

    Measured on MAE on ``gaussian_tree``, tier ``quick``, seed 0: (p / (1 - p))² was
    0.047, 0.031, 0.028, 0.027 and 0.213 at the mask ratios 0.1, 0.25, 0.5, 0.75 and
    0.9; four times the steps brought 0.032, 0.026, 0.038, 0.022 and 0.258 of the way.

    It errs to the strict side where the learning rate anneals in the second half,
    which lowers the loss by itself. It is too lenient of a power law, whose tail is
    long, and blind to a plateau that ends after the budget.

    Args:
        curve: Training loss, as ``Trained`` keeps it.

    Returns:
        ``final``: mean loss of the last eighth; ``half``: of the eighth around half of
        the training. ``progress``: (half - final) / |start - final|, start being the
        first point. ``converged``: 1 if the absolute progress and two standard errors
        of it are together at most 0.183, else 0. A loss that moved no farther than its
        noise has learned nothing, and has not converged.

    Raises:
        Skip: Fewer than 8 points.
    """
    eighth, half_way = len(curve) // 8, len(curve) // 2
    if not eighth:
        raise Skip(f"a curve of {len(curve)} points; train for at least 8 steps")
    first = half_way - eighth // 2
    half = curve[first : first + eighth].mean().item()
    final = curve[-eighth:].mean().item()
    way = abs(curve[0].item() - final)
    error = noise(curve[half_way:]) * math.sqrt(2 / eighth)
    found = {"final": final, "half": half}
    if way == 0:
        return found | {"converged": 0.0}
    rests = abs(half - final) + ERRORS * error <= BOUND * way
    return found | {"progress": (half - final) / way, "converged": float(rests)}


def noise(curve: Float[Tensor, " t"]) -> float:
    """Standard deviation of independent noise on the points of a smooth curve.

    The second difference of such noise has six times its variance; that of a straight
    line is 0. See von Neumann 1941, doi 10.1214/aoms/1177731677.
    """
    return (curve.diff(n=2).square().mean() / 6).sqrt().item()
