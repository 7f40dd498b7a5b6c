"""Xie et al. 2023: masked modelling keeps attention local, and its heads diverse."""

from typing import Literal

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics.attention import attention
from mae_bench.metrics.layer_similarity import layer_similarity
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory, acted_on

_MAE, _SUPERVISED = {"method": "mae"}, {"method": "supervised"}
_UNTRAINED = {"method": "random_init"}
_WORLDS = {"": "gaussian_tree", "-digits": "digits"}


def _trained(
    claim: str,
    target: str,
    dataset: str,
    least: str,
    refuted_by: str,
    sign: Literal[1, -1],
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Contrast(margin=0.1, treatment=_MAE, baseline=_SUPERVISED, sign=sign),
        margin_reason=acted_on(least),
        experiment=LEADERBOARD,
        metric=attention,
        where={
            "dataset": dataset,
            "method": ("mae", "supervised", "random_init"),
            "target": target,
        },
        control=Control(
            reason="what an encoder without training shows too, no mask has taught it",
            form=Contrast(
                margin=0.1, treatment=_UNTRAINED, baseline=_SUPERVISED, sign=sign
            ),
        ),
        standing="extrapolation",
        place="abstract; attention of SwinV2-B and ViT-B. Means over layers, because "
        "the last three layers, of which it speaks, are all layers of a small encoder",
        refuted_by=refuted_by,
    )


def _local(dataset: str) -> Prediction:
    return _trained(
        "masked modelling makes all layers local: the mean reach of attention is below "
        "that of a supervised encoder, by a tenth of what even attention has",
        "encoder/reach",
        dataset,
        "a tenth of the reach of even attention",
        "attention that reaches as far as a supervised encoder's",
        -1,
    )


def _diverse(dataset: str) -> Prediction:
    return _trained(
        "the heads of a layer attend more diversely than those of a supervised "
        "encoder: by a tenth of a nat or more between two heads",
        "encoder/diversity",
        dataset,
        "a tenth of a nat",
        "heads as alike as a supervised encoder's",
        1,
    )


def _alike(dataset: str) -> Prediction:
    return Prediction(
        claim="the first and the last layer are more alike than in a supervised "
        "encoder: their CKA is higher by a twentieth or more",
        form=Contrast(margin=0.05, treatment=_MAE, baseline=_SUPERVISED),
        margin_reason=acted_on("a twentieth of a CKA"),
        experiment=LEADERBOARD,
        metric=layer_similarity,
        where={
            "dataset": dataset,
            "method": ("mae", "supervised", "random_init"),
            "target": "first_last",
        },
        control=Control(
            reason="skip connections alone keep layers alike: what an encoder without "
            "training shows too, no mask has taught it",
            form=Contrast(margin=0.05, treatment=_UNTRAINED, baseline=_SUPERVISED),
        ),
        standing="extrapolation",
        place="CKA between layers; C4 of the operator kernel holds the mean of "
        "supervised and contrastive encoders against it",
        refuted_by="layers as unlike each other as those of a supervised encoder",
    )


LOCALITY_BIAS = Theory(
    paper="Xie et al., CVPR 2023, arXiv 2205.13543",
    summary=(
        "Masked image modelling brings a bias for locality to all layers of a "
        "transformer. Supervised models are local in low layers and global in high "
        "ones. Heads of masked models stay diverse in every layer, where those of "
        "supervised models become alike at the end, which harms fine-tuning. Layers of "
        "a masked model are similar to each other. It hence does better where "
        "geometry and motion matter, and as well where the classes were seen."
    ),
    assumptions=(
        "what is seen in large models of photographs holds for small ones of 8 pixels",
        "the supervised rival has the same architecture and is trained as long",
    ),
    predictions={
        **{f"D1{suffix}": _local(dataset) for suffix, dataset in _WORLDS.items()},
        **{f"D2{suffix}": _diverse(dataset) for suffix, dataset in _WORLDS.items()},
        **{f"D3{suffix}": _alike(dataset) for suffix, dataset in _WORLDS.items()},
    },
    unmeasured={
        "D1-heads": "that near and far heads stand side by side in each layer takes "
        "distances by head; they are averaged here",
        "D2-fine-tuning": "that layers without diverse heads harm fine-tuning takes "
        "fine-tuning, which no metric does",
        "D4": "needs tasks of pose, depth and tracking, and fine-tuning",
    },
)
