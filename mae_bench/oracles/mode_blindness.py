"""How much a masked prediction can see of the weight of a mode, exactly.

Data have two modes with weights w and 1 - w, of spins that are independent given the
mode and equal to it with probability (1 + θ) / 2. A model q_λ has all right but the
weight. Its posterior of the mode given visible spins is π_λ, with logit π_λ = logit λ +
the log likelihood ratio; so where the masked spins tell the mode, its excess risk is
D_m(λ) = E KL(π_w | π_λ), which is kl(w | λ) for m = 0, and whose curvature in logit λ
at w is

    U_m = E π_w (1 - π_w),

the posterior variance of the mode, its least mean squared error from m visible spins.
In λ it is U_m / (w (1-w))². Since ab / (a + b) <= √(ab) / 2,

    U_m <= √(w (1-w)) (1 - θ²)^{m/2} / 2,

exponential in m with the rate -½ log(1 - θ²) of the Bhattacharyya coefficient. By
gradient flow the error of the logit decays as exp(-U t), with U the mean of U_m over
the masks' schedule: linear in the share of the steps whose masks hide everything.

U_m is a sum over m + 1 counts.

References:
    Cai & Shi 2026, arXiv 2608.01383, whose terms these are; derived here.
"""

import numpy as np
from scipy.special import expit, log_expit, logit
from scipy.stats import binom


def mode_uncertainty(visible: int, theta: float, weight: float) -> float:
    """U_m = E π (1 - π), the mode's posterior variance given m visible spins.

    Args:
        visible: m, at least 0.
        theta: θ, in (0, 1).
        weight: w, in (0, 1).

    Returns:
        In (0, w (1 - w)].

    Raises:
        ValueError: An argument is outside its range.

    >>> [round(mode_uncertainty(m, 0.6, 0.5), 4) for m in (0, 1, 2, 4, 8, 16)]
    [0.25, 0.16, 0.1176, 0.0641, 0.0213, 0.0028]
    """
    probability, odds = _counts(visible, theta, weight, weight)
    return float(probability @ (expit(odds) * expit(-odds)))


def uncertainty_bound(visible: int, theta: float, weight: float) -> float:
    """√(w (1-w)) (1 - θ²)^{m/2} / 2, which U_m is nowhere above."""
    spread: float = (weight * (1 - weight)) ** 0.5
    return float(spread * (1 - theta**2) ** (visible / 2) / 2)


def excess_risk(visible: int, theta: float, weight: float, guess: float) -> float:
    """D_m(λ) of a model with weight λ, where the masked spins tell the mode."""
    probability, true = _counts(visible, theta, weight, weight)
    _, said = _counts(visible, theta, weight, guess)
    kl = sum(
        expit(sign * true) * (log_expit(sign * true) - log_expit(sign * said))
        for sign in (1, -1)
    )
    return float(probability @ kl)


def schedule_uncertainty(
    tokens: int,
    theta: float,
    weight: float,
    *,
    mask_ratio: float,
    uniform: bool = False,
    full_masks: float = 0.0,
) -> float:
    """Mean of U_m over the masks of a schedule.

    Args:
        tokens: Spins of an image.
        theta: θ.
        weight: w.
        mask_ratio: Share of the spins that is masked, if not uniform.
        uniform: Whether each number of visible spins, 0 to all but one, is as likely.
        full_masks: Share of images of which all is masked.
    """
    visible = range(tokens) if uniform else [round((1 - mask_ratio) * tokens)]
    seen = np.mean([mode_uncertainty(m, theta, weight) for m in visible])
    everything = mode_uncertainty(0, theta, weight)
    return float((1 - full_masks) * seen + full_masks * everything)


def _counts(
    visible: int, theta: float, weight: float, guess: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of each number of + spins: its probability, and the log odds that λ gives."""
    if visible < 0:
        raise ValueError(f"{visible} spins are visible; give at least 0")
    for name, value in (("theta", theta), ("weight", weight), ("guess", guess)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value}; choose in (0, 1)")
    count = np.arange(visible + 1)
    plus, minus = (binom.pmf(count, visible, (1 + s * theta) / 2) for s in (1, -1))
    ratio = (2 * count - visible) * 2 * np.arctanh(theta)
    return weight * plus + (1 - weight) * minus, logit(guess) + ratio
