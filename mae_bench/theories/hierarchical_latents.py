"""Kong et al. 2023: an MAE identifies the latents that its mask makes shared."""

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.oracles.forecasting import mask_of, root_share, shared_latents
from mae_bench.records.schema import Settings
from mae_bench.theories import Forecast, Theory
from mae_bench.theories.claims.abstraction import ABSTRACTION
from mae_bench.theories.claims.identifiability import IDENTIFIABILITY
from mae_bench.theories.claims.location import LOCATION


def _little_else(factors: Settings) -> float | None:
    """Minus what c(m) determines, where the tree is known: two levels of children."""
    if factors["dataset"] == "digits":
        return None
    ratio, unit, family = mask_of(factors)
    return -shared_latents(2, ratio, unit // 2, family)


HIERARCHICAL_LATENTS = Theory(
    paper="Kong et al., CVPR 2023, arXiv 2306.04898",
    summary=(
        "An image is the leaf level of a hierarchy of latent variables. For each mask "
        "there is a unique minimal set c of latents that the visible and the masked "
        "part share (Theorem 1), and an encoder that reconstructs one from the other "
        "recovers c up to an invertible map (Theorem 2). Which latents are in c is "
        "decided by the mask: its ratio and the size of its unit. The authors read "
        "this as: extreme ratios, low or high, and small units give low-level "
        "representations; intermediate ratios and larger units, high-level ones."
    ),
    assumptions=(
        "no edge between observables; every mechanism is invertible (Assumption 1)",
        "encoder and decoder are invertible and of the true dimension (Assumption 2)",
        "the loss is minimised",
    ),
    predictions={
        **IDENTIFIABILITY,
        **ABSTRACTION,
        **LOCATION,
    },
    forecasts=(
        Forecast(
            experiment=MASK_UNIT_BY_PATCH_SIZE,
            metric=linear_probe,
            where={"token": "mean", "view": "unmasked"},
            # The worlds have two levels below the root and leaves of two pixels.
            score=lambda factors: root_share(
                2,
                float(factors["mask_ratio"] or 0),
                int(factors["mask_unit"] or 0) // 2,
            ),
            reason="1 / E|c(m)|: how little beside the root the mask leaves shared",
        ),
        Forecast(
            experiment=FORECAST_GRID,
            metric=linear_probe,
            where={"token": "mean"},
            score=_little_else,
            reason="-E|latents that c(m) determines|: how little beside the root an "
            "encoder that holds c has to hold; no tree of the digits is known",
        ),
    ),
    unmeasured={
        "K9": "needs ImageNet and its robustness variants",
        "K10": "needs cue-conflict images and a network that classifies photographs",
        "K11": "needs a loss that leaves out pixels next to visible ones",
        "K-D4": "no claim but a rule, which K1 to K4 follow: judge mask by mask",
    },
)
