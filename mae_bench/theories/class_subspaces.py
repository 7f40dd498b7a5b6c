"""Shrivastava et al. 2026: an MAE attends globally early, and pulls classes apart."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics.attention import attention
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.theories import Prediction, Theory, acted_on

# The nearest here to the photographs of which the paper speaks.
_WORLD = "digits"
_FIRST = "encoder/0/reach"

CLASS_SUBSPACES = Theory(
    paper="Shrivastava, Rameshan & Agnihotri 2026, arXiv 2602.03531",
    summary=(
        "A pretrained MAE builds its latent space class by class along its depth. "
        "Tokens of different classes lie in subspaces, whose principal angles grow "
        "from layer to layer. Attention is global in the first layers already and "
        "stays so, where a standard vision transformer begins locally. The features "
        "hence bear blur and occlusion well."
    ),
    assumptions=(
        "what is seen in ViT-B on photographs holds for small encoders of digits",
        "a supervised encoder of the same architecture is the standard transformer",
    ),
    predictions={
        "S2-early": Prediction(
            claim="the first layer of an MAE attends farther than that of a supervised "
            "encoder, by a tenth of what even attention has",
            form=Contrast(
                margin=0.1,
                treatment={"method": "mae"},
                baseline={"method": "supervised"},
            ),
            margin_reason=acted_on("a tenth of the reach of even attention"),
            experiment=LEADERBOARD,
            metric=attention,
            where={
                "dataset": _WORLD,
                "method": ("mae", "supervised", "random_init"),
                "target": _FIRST,
            },
            control=Control(
                reason="if a first layer without training attends farther as well, no "
                "mask has taught it",
                form=Contrast(
                    margin=0.1,
                    treatment={"method": "random_init"},
                    baseline={"method": "supervised"},
                ),
            ),
            standing="extrapolation",
            place="abstract: early and persistent global attention; D1 says the "
            "opposite of the mean over layers",
            refuted_by="a first layer as local as a supervised encoder's, or more",
        ),
        "S2-persistent": Prediction(
            claim="the mean reach over an MAE's layers stays that of the "
            "first, within a tenth of what even attention has",
            form=Equivalence(
                margin=0.1,
                form=Contrast(
                    margin=0.1,
                    treatment={"target": "encoder/reach"},
                    baseline={"target": _FIRST},
                ),
            ),
            margin_reason=acted_on("a tenth of the reach of even attention"),
            experiment=LEADERBOARD,
            metric=attention,
            where={
                "dataset": _WORLD,
                "method": "mae",
                "target": ("encoder/reach", _FIRST),
            },
            control=Control(
                reason="a standard transformer begins locally and ends globally",
                where={"method": "supervised"},
            ),
            standing="extrapolation",
            place="abstract: early and persistent global attention",
            refuted_by="a reach that changes from layer to layer",
        ),
    },
    unmeasured={
        "S1": "principal angles of class subspaces in each layer: no metric reads "
        "features between layers by class",
        "S3": "bearing blur and occlusion is said of fine-tuned encoders; none is here",
    },
)
