"""Park et al. 2023: contrast makes attention global and homogeneous, masks do not."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics.attention import attention
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory, acted_on

_MAE, _SIMCLR = {"method": "mae"}, {"method": "simclr"}
# The nearest here to the photographs of which the paper speaks.
_WORLD = "digits"


def _collapses(
    claim: str, target: str, margin: float, least: str, refuted_by: str
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Contrast(margin=margin, treatment=_MAE, baseline=_SIMCLR),
        margin_reason=acted_on(least),
        experiment=LEADERBOARD,
        metric=attention,
        where={
            "dataset": _WORLD,
            "method": ("mae", "simclr", "random_init"),
            "target": target,
        },
        control=Control(
            reason="if attention without training is above the contrastive one as "
            "well, it is no mask that has kept it from collapsing",
            form=Contrast(
                margin=margin, treatment={"method": "random_init"}, baseline=_SIMCLR
            ),
        ),
        standing="extrapolation",
        place="abstract, (1): homogeneity for all query tokens and heads",
        refuted_by=refuted_by,
    )


ATTENTION_HOMOGENEITY = Theory(
    paper="Park et al., ICLR 2023, arXiv 2305.00729",
    summary=(
        "Contrastive learning trains attention to capture long-range patterns, masked "
        "modelling short-range ones. Contrastive attention collapses: it becomes the "
        "same for all queries and all heads, and the tokens become alike. Contrast "
        "uses the low frequencies of an image and hence shape, masked modelling the "
        "high ones and hence texture. Contrast matters in late layers, masked "
        "modelling in early ones. The two complement each other."
    ),
    assumptions=(
        "what is seen in ViT-B on photographs holds for small encoders of digits",
        "SimCLR stands for contrastive methods, a plain MAE for masked ones",
    ),
    predictions={
        "V1": Prediction(
            claim="contrastive attention reaches farther than an MAE's, by a tenth of "
            "what even attention has",
            form=Contrast(margin=0.1, treatment=_SIMCLR, baseline=_MAE),
            margin_reason=acted_on("a tenth of the reach of even attention"),
            experiment=LEADERBOARD,
            metric=attention,
            where={
                "dataset": _WORLD,
                "method": ("mae", "simclr", "random_init"),
                "target": "encoder/reach",
            },
            control=Control(
                reason="an untrained encoder reaches as far: if it too is above an "
                "MAE, no contrast has made attention far",
                form=Contrast(
                    margin=0.1, treatment={"method": "random_init"}, baseline=_MAE
                ),
            ),
            standing="extrapolation",
            place="abstract, (1); attention distance, here the mean over all layers",
            refuted_by="an MAE whose attention reaches as far",
        ),
        "V2-heads": _collapses(
            "contrastive heads are more alike: an MAE's differ more from each other, "
            "by a tenth of a nat or more",
            "encoder/diversity",
            0.1,
            "a tenth of a nat",
            "contrastive heads that are as diverse",
        ),
        "V2-queries": _collapses(
            "contrastive attention depends less on the query: the effective rank of an "
            "MAE's is higher, by a twentieth of what the number of patches allows",
            "encoder/erank",
            0.05,
            "a twentieth of what the number of patches allows",
            "contrastive attention of as high a rank",
        ),
    },
    unmeasured={
        "V3": "the Fourier amplitudes of features are read by no metric",
        "V4": "which layers matter takes probes of each layer; here the last is probed",
    },
)
