"""Cai & Shi 2026: what is visible tells the mode, and hides how frequent modes are."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from mae_bench.datasets.two_modes import TwoModes
from mae_bench.experiments.mode_schedules import MODE_SCHEDULES
from mae_bench.metrics.mode_weight import mode_weight
from mae_bench.oracles.mode_blindness import schedule_uncertainty
from mae_bench.predictions import Control
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.ordering import Ordering
from mae_bench.records.registry import settings
from mae_bench.theories import Forecast, Prediction, Theory
from mae_bench.theories.claims.mode_networks import NETWORKS

_SCHEDULE = ("mask_ratio", "uniform", "full_masks")
_FIXED = {"uniform": False, "full_masks": 0.0}
_ERROR = {"target": "error"}
_in_grid = partial(Prediction, experiment=MODE_SCHEDULES, metric=mode_weight)


def _sensitivity(point: Mapping[str, Any]) -> float:
    """Minus U of the schedule: the error falls with it."""
    world: Mapping[str, Any] = settings(TwoModes)
    schedule = {name: point[name] for name in _SCHEDULE}
    law = (world["image_size"] ** 2, world["theta"], world["weight"])
    return -schedule_uncertainty(*law, **schedule)


MODE_BLINDNESS = Theory(
    paper="Cai & Shi 2026, arXiv 2608.01383 (its code and its results could be read, "
    "its proofs not: the formulas are derived here)",
    summary=(
        "Data have two modes, and a model has everything right but the weight of one. "
        "Where visible coordinates tell the mode, no masked prediction depends on the "
        "weight: the curvature of the masked risk in the log odds of the weight is the "
        "posterior variance of the mode given what is visible. It decays exponentially "
        "in the number of visible coordinates. A fixed mask ratio can therefore reach "
        "nearly the best masked loss with wrong frequencies. Masks that hide "
        "everything, in a small share of the steps, restore what it cannot see."
    ),
    assumptions=(
        "two modes of known form, coordinates independent given the mode",
        "the masked coordinates tell the mode, if the visible ones do not",
        "gradient descent near its flow, on the log odds of the weight",
    ),
    predictions={
        "MB1": _in_grid(
            claim="under every schedule of masks what is left of the error is "
            "exp(-U t), with U the posterior variance of the mode given what is "
            "visible, to 0.15 of the first error",
            # Steps of 0.2 and batches of 128: (0.2 / 256)^1/2 = 0.03, which is 0.033 of
            # 0.85; of mean reversion none within t = 200 at the least U.
            form=Equality(
                0.15, value=_ERROR, exact={"target": "error_exact"}, along=_SCHEDULE
            ),
            margin_reason="more than four deviations: the noise of steps leaves 0.033 "
            "of the first error, and the flow is not linear, 0.63 for 0.60 at a ratio "
            "of 0.75",
            where={},
            control=Control(
                reason="with visible coordinates it is not that of full masks",
                form=Equality(
                    0.15, value=_ERROR, exact={"target": "error_full"}, along=_SCHEDULE
                ),
            ),
            standing="derived",
            place="sensitivity of the masked excess risk, exact curvature at w",
            refuted_by="an error that falls faster, or slower, under some schedule",
        ),
        "MB2": _in_grid(
            claim="the more is visible, the more of the error is left: a tenth of the "
            "first error or more from a ratio of 0.875 to 0.75, and again to 0.5",
            form=Ordering(0.1, "mask_ratio", levels=(0.875, 0.75, 0.5)),
            margin_reason="a quarter of the smallest exact step: 0.02, 0.60, 0.99",
            where={**_FIXED, **_ERROR},
            control=Control(
                reason="with one full mask in twenty all of them learn it (MB3)",
                where={"full_masks": 0.05},
            ),
            standing="derived",
            place="blindness: the sensitivity decays in the visible count",
            refuted_by="a weight that is learned as fast from half of the coordinates",
        ),
        "MB2-rate": _in_grid(
            claim="the mode's posterior variance is below "
            "(w (1-w))^1/2 (1 - theta^2)^(m/2) / 2 at every number m of visible spins "
            "(margin: none)",
            form=Bound(
                0.0,
                value={"target": "decay"},
                limit=0.0,
                along=("mask_ratio",),
                sign=-1,
            ),
            margin_reason="none: the inequality is strict, by 8 % at the least",
            where={**_FIXED, "mask_ratio": (0.75, 0.875, 1.0)},
            control=Control(
                reason="it is not below half of the bound: without visible spins it is "
                "0.92 of it",
                form=Bound(
                    0.0,
                    value={"target": "decay"},
                    limit=-0.6931,
                    along=("mask_ratio",),
                    sign=-1,
                ),
            ),
            standing="theorem",
            place="rate -1/2 log(1 - theta^2) of the product law; the constant is ours",
            refuted_by="a mode that is less certain than the bound says",
        ),
        "MB2-exact": _in_grid(
            claim="what is left of the error is the exact sum over counts, to a third, "
            "at every ratio from 0.75 on",
            form=Equality(
                0.33,
                value={"target": "decay"},
                exact={"target": "decay_exact"},
                along=("mask_ratio",),
            ),
            margin_reason="two deviations: of 2,000 images with 16 spins visible the "
            "mean has one of a sixth",
            where={**_FIXED, "mask_ratio": (0.75, 0.875, 1.0)},
            control=Control(
                reason="the bound is above it by a half and more where spins are "
                "visible",
                form=Equality(
                    0.33, value={"target": "decay"}, exact=0.0, along=("mask_ratio",)
                ),
            ),
            standing="derived",
            place="U_m = E mmse(mode | m visible)",
            refuted_by="another posterior variance in the images",
        ),
        "MB3": _in_grid(
            claim="at a ratio of 0.75 one full mask in twenty takes away 0.3 or more "
            "of the first error, in steps that leave more than half of it without",
            form=Contrast(
                0.3,
                treatment={"full_masks": 0.0},
                baseline={"full_masks": 0.05},
            ),
            margin_reason="over half of the exact difference: 0.60 without full masks, "
            "0.08 with them",
            where={"uniform": False, "mask_ratio": 0.75, **_ERROR},
            control=Control(
                reason="at 0.875 eight visible spins leave it nothing to repair",
                where={"mask_ratio": 0.875},
            ),
            standing="derived",
            place="schedules (1 - pi) delta_m + pi delta_s: curvature linear in pi",
            refuted_by="full masks that change nothing",
        ),
        "MB3-uniform": _in_grid(
            claim="at a mean ratio of a half a uniform number of visible spins leaves "
            "0.3 of the first error less than 0.75 of them masked, always",
            form=Contrast(
                0.3, treatment={"uniform": False}, baseline={"uniform": True}
            ),
            margin_reason="over half of the exact difference: 0.60 and 0.09; at a "
            "fixed half it is 0.99",
            where={"full_masks": 0.0, "mask_ratio": 0.75, **_ERROR},
            control=Control(
                reason="a few full masks do as much as the uniform ones",
                form=Contrast(
                    0.3,
                    treatment={"uniform": False, "full_masks": 0.05},
                    baseline={"uniform": True, "full_masks": 0.0},
                ),
                where={"full_masks": (0.0, 0.05)},
            ),
            standing="derived",
            place="mask schedules; the uniform one is ours",
            refuted_by="a fixed ratio that learns the weight as fast",
        ),
        **NETWORKS,
    },
    forecasts=(
        Forecast(
            experiment=MODE_SCHEDULES,
            metric=mode_weight,
            where=_ERROR,
            score=_sensitivity,
            reason="minus the mode's posterior variance given what is visible",
        ),
    ),
    unmeasured={
        "MB1-loss": "that the masked loss is within 1 % of the best with wrong "
        "weights: so it is with any weights, for the entropy of 64 spins is hundreds "
        "of times that of a mode",
        "MB3-radius": "the radius of recovery, of the root of the risk over the share "
        "of full masks: it asks for the risk to a precision that samples do not give",
    },
)
