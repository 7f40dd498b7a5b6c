"""Yue et al. 2023: a masked autoencoder contrasts regions, for its decoder is local."""

from mae_bench.experiments.decoder_depth import DECODER_DEPTH
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.training_time import TRAINING_TIME
from mae_bench.metrics import Metric
from mae_bench.metrics.attention import attention
from mae_bench.metrics.jacobian_influence import jacobian_influence
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, Theory, acted_on

_SEEN = "; written down after one MAE and one untrained cell had been seen"
_LAYERS = tuple(f"decoder/{layer}/agreement" for layer in range(8))


def _local(metric: Metric, what: str) -> Prediction:
    return Prediction(
        claim=f"the decoder is local: {what} comes from at most three quarters of the "
        "distance that it would come from if all visible places weighed the same",
        form=Contrast(margin=0.25, treatment={}, baseline=1.0, sign=-1),
        margin_reason=acted_on("a quarter of an indifferent decoder's distance")
        + _SEEN,
        experiment=TRAINING_TIME,
        metric=metric,
        where={"dataset": "gaussian_tree", "stop": 1.0, "target": "decoder/reach"},
        control=Control(
            reason="before training the decoder has not learned what is near",
            where={"stop": 0.0},
        ),
        standing="extrapolation",
        place="assumption of a limited receptive field, from attention maps",
        refuted_by="a decoder that looks as far as an indifferent one",
    )


def _farther(metric: Metric, target: str) -> Prediction:
    return Prediction(
        claim="the more is masked, the farther the decoder looks, on a line through "
        "the ratios: by a tenth of a patch's side or more from end to end",
        form=Trend(margin=0.2, factor="mask_ratio", monotone=False),
        margin_reason=acted_on("a tenth of a patch's side, 0.2 pixels") + _SEEN,
        experiment=MASK_RATIO,
        metric=metric,
        where={"dataset": "gaussian_tree", "method": "mae", "target": target},
        control=Control(
            reason="of independent spins no place tells of another: the decoder has "
            "nowhere to look",
            where={"dataset": "ising"},
        ),
        standing="extrapolation",
        # Read as the attention of what is reconstructed, i.e. of the decoder.
        place="Fig. 3",
        refuted_by="a distance that is flat in the ratio, or falls with it",
        version=2,
    )


LOCAL_CONTRAST = Theory(
    paper="Yue et al. 2023, arXiv 2310.01994",
    summary=(
        "What the decoder says of a masked place depends on a limited neighbourhood of "
        "it. The reconstruction loss is then close to a contrastive loss between "
        "regions: differently masked views of one region are pulled together, and "
        "other regions pushed away. Masking is the augmentation, and its ratio sets "
        "how far attention reaches. The first layer of the decoder is driven by "
        "position, and what is in the image enters later."
    ),
    assumptions=(
        "the decoder's receptive field is small against the image",
        "masked autoencoders learn from the decoder's regions as contrastive methods "
        "do from images",
    ),
    predictions={
        "Y1": _local(attention, "the attention of masked patches"),
        "Y1-influence": _local(jacobian_influence, "what masked patches feel"),
        "Y2": _farther(attention, "decoder/distance"),
        "Y2-influence": _farther(jacobian_influence, "decoder/radius"),
        "Y3": Prediction(
            claim="the decoder's first layers go by position: the attention of a "
            "masked patch is alike in all images there, and less so layer by layer",
            form=Trend(
                margin=0.05, factor="target", direction="decreasing", levels=_LAYERS
            ),
            margin_reason=acted_on("a twentieth of full agreement") + _SEEN,
            experiment=DECODER_DEPTH,
            metric=attention,
            where={
                "dataset": "gaussian_tree",
                "decoder_depth": 8,
                "target": _LAYERS,
            },
            control=Control(
                reason="of independent spins what is in the image tells nothing, in "
                "late layers as in first ones",
                where={"dataset": "ising"},
            ),
            standing="extrapolation",
            place="attention maps of the decoder's layers",
            refuted_by="attention that looks at the image as much in the first layer "
            "as in the last",
        ),
    },
    unmeasured={
        "Y4": "their Siamese method without masks and decoder is not among the methods",
    },
)
