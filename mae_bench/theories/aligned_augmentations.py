"""Van Assel et al. 2025: joint embedding needs less of views than reconstruction."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from mae_bench.experiments.augmentation_alignment import AUGMENTATION_ALIGNMENT
from mae_bench.metrics.signal_overlap import signal_overlap
from mae_bench.oracles.aligned_views import kept_signal
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.theories import Forecast, Prediction, Theory

_OVERLAP = {"target": "overlap"}
_RECONSTRUCTION = {"objective": "reconstruction"}
_JOINT = {"objective": "joint_embedding"}
_WORLDS = ("nuisance", "isotropic", "alignment")
_ALIGNED = (0.1, 2.0, 5.0)
_LARGE = {"nuisance": 4.0, "isotropic": 0.0}
_in_grid = partial(Prediction, experiment=AUGMENTATION_ALIGNMENT, metric=signal_overlap)
_STEP = Equality(0.1, value=_OVERLAP, exact={"target": "exact"}, along=_WORLDS)
_OTHER_STEP = Equality(
    0.1, value=_OVERLAP, exact={"target": "exact_other"}, along=_WORLDS
)
_JOINT_LESS_RECONSTRUCTION = Contrast(
    0.5, treatment={**_JOINT, **_OVERLAP}, baseline={**_RECONSTRUCTION, **_OVERLAP}
)


def _kept(point: Mapping[str, Any]) -> float:
    """The overlap of the closed form."""
    return kept_signal(
        point["objective"], point["nuisance"], point["alignment"], point["isotropic"]
    )


ALIGNED_AUGMENTATIONS = Theory(
    paper="Van Assel, Ibrahim, Biancalani, Regev & Balestriero, NeurIPS 2025, "
    "arXiv 2505.12477 (only its abstract could be read: the formulas are ours)",
    summary=(
        "Images are signal and nuisance, and views add noise to the nuisance, more or "
        "less. An encoder with as many features as signals, trained to reconstruct the "
        "image from a view, keeps the signal only if the noise outweighs what the "
        "nuisance has more of variance: a > g/s - 1. One trained to make two views "
        "agree keeps it at any alignment a > 0, and at none it cannot tell signal from "
        "nuisance. With small nuisance reconstruction needs no views at all. Noise "
        "that falls on the signal as well is of no use to reconstruction, and costs "
        "joint embedding."
    ),
    assumptions=(
        "linear encoders, signal and nuisance along common axes with the noise",
        "as many features as signals, and the optimum is reached",
        "reconstruction is of the image without the view's noise (reading taken)",
    ),
    predictions={
        "JR1": _in_grid(
            claim="a trained linear reconstruction keeps the signal where the "
            "alignment is above g/s - 1, and nothing of it below, to a tenth, in every "
            "world",
            form=_STEP,
            margin_reason="exact overlaps are 0, a quarter and 1, and a trained one is "
            "off by a few hundredths",
            where=_RECONSTRUCTION,
            control=Control(
                reason="joint embedding's steps are elsewhere", form=_OTHER_STEP
            ),
            standing="derived",
            place="abstract: both paradigms need augmentations that are aligned",
            refuted_by="signal that is kept below the threshold, or lost above it",
        ),
        "JR1-joint": _in_grid(
            claim="a trained linear joint embedding keeps the signal at every "
            "alignment above 0, and with isotropic noise b above b (1/s - 1/g), to a "
            "tenth",
            form=_STEP,
            margin_reason="exact overlaps are 0, a quarter and 1, and a trained one is "
            "off by a few hundredths",
            where={**_JOINT, "alignment": _ALIGNED},
            control=Control(
                reason="reconstruction's steps are elsewhere", form=_OTHER_STEP
            ),
            standing="derived",
            place="abstract: both paradigms need augmentations that are aligned",
            refuted_by="signal that is lost at a small alignment",
        ),
        "JR2": _in_grid(
            claim="between the two thresholds joint embedding keeps the signal and "
            "reconstruction does not",
            form=_JOINT_LESS_RECONSTRUCTION,
            margin_reason="half of the exact difference, 1",
            where={**_LARGE, "alignment": (0.1, 2.0)},
            control=Control(
                reason="above both thresholds both keep it", where={"alignment": 5.0}
            ),
            standing="derived",
            place="abstract: joint embedding imposes a strictly weaker alignment",
            refuted_by="reconstruction that keeps the signal as well",
            ceiling=1.0,
            each=("alignment",),
        ),
        "JR3": _in_grid(
            claim="without any augmentation and with small nuisance reconstruction "
            "keeps the signal, and joint embedding an arbitrary space",
            form=Contrast(
                0.5,
                treatment={**_RECONSTRUCTION, **_OVERLAP},
                baseline={**_JOINT, **_OVERLAP},
            ),
            margin_reason="two thirds of what is exact, 0.75: of four arbitrary "
            "directions in sixteen a quarter is signal",
            where={"nuisance": 0.5, "isotropic": 0.0, "alignment": 0.0},
            control=Control(
                reason="large nuisance is what reconstruction keeps without views",
                where={"nuisance": 4.0},
            ),
            standing="derived",
            place="abstract: reconstruction where irrelevant features are small",
            refuted_by="joint embedding that finds the signal without views",
            ceiling=1.0,
        ),
        "JR-D1": _in_grid(
            claim="isotropic noise costs joint embedding: of a hardly aligned view "
            "(a = 0.1) it keeps the nuisance, once noise falls on all directions alike",
            form=Contrast(
                0.5,
                treatment={"isotropic": 0.0, **_OVERLAP},
                baseline={"isotropic": 1.0, **_OVERLAP},
            ),
            margin_reason="half of the exact difference, 1",
            where={**_JOINT, "nuisance": 4.0, "alignment": 0.1},
            control=Control(
                reason="above b (1/s - 1/g) = 0.75 it keeps the signal all the same",
                where={"alignment": 2.0},
            ),
            standing="derived",
            place="ours: the closed form with noise b on every direction",
            refuted_by="joint embedding that keeps the signal at any alignment above 0",
            ceiling=1.0,
        ),
        "JR-D2": _in_grid(
            claim="aligned noise can do for reconstruction what isotropic noise "
            "cannot: it turns the code from the nuisance to the signal",
            form=Contrast(
                0.5,
                treatment={"isotropic": 0.0, "alignment": 5.0, **_OVERLAP},
                baseline={"isotropic": 1.0, "alignment": 0.0, **_OVERLAP},
            ),
            margin_reason="half of the exact difference, 1",
            where={**_RECONSTRUCTION, "nuisance": 4.0},
            control=Control(
                reason="noise that is aligned too little turns nothing",
                form=Contrast(
                    0.5,
                    treatment={"isotropic": 0.0, "alignment": 2.0, **_OVERLAP},
                    baseline={"isotropic": 1.0, "alignment": 0.0, **_OVERLAP},
                ),
            ),
            standing="derived",
            place="ours: against Balestriero & LeCun 2024, whose noise is isotropic",
            refuted_by="additive noise that is as useless where it is aligned",
            ceiling=1.0,
        ),
    },
    forecasts=(
        Forecast(
            experiment=AUGMENTATION_ALIGNMENT,
            metric=signal_overlap,
            where=_OVERLAP,
            score=_kept,
            reason="the overlap of the closed form: 1 above a threshold, 0 below it",
        ),
    ),
    unmeasured={
        "JR-supervised": "that supervision needs no alignment as samples grow: the "
        "methods here are given labels of classes and not the signal",
        "JR-networks": "that corrupted photographs separate the two paradigms: it "
        "needs images of their size",
    },
)
