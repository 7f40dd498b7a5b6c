"""Huang et al. 2025: masked attention finds local areas, contrastive the global one."""

from mae_bench.experiments.planted_areas import PLANTED_AREAS
from mae_bench.metrics.area_attention import area_attention
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.records.schema import Setting
from mae_bench.theories import Prediction, Theory, acted_on

_UNTRAINED = Control(
    reason="the initial weights know no area: what they show too, no loss has taught",
    where={"stop": 0.0},
)
_HALF_WAY = (
    "half of the way from uniform attention to all of it, which is the theorem's limit"
)
_SEEN = "; settled when one seed had been seen"


def _looks(
    claim: str,
    method: str,
    target: str,
    refuted_by: str,
    each: tuple[str, ...] = (),
    **where: Setting,
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Contrast(margin=0.5, treatment={}, baseline=0.0),
        margin_reason=_HALF_WAY + _SEEN * (method == "simclr"),
        experiment=PLANTED_AREAS,
        metric=area_attention,
        where={"method": method, "target": target, "stop": 1.0, **where},
        control=_UNTRAINED,
        standing="theorem",
        place="main theorems on attention after training; numbering not checked",
        refuted_by=refuted_by,
        ceiling=1.0,
        each=each,
        version=2 if each else 1,
    )


def _own_local(rows: int, sizes: str) -> Prediction:
    return _looks(
        "a masked patch of a local area puts more than half of what uniform attention "
        f"would leave to others on visible patches of its area; {sizes} patches",
        "mae",
        "decoder/local",
        "MAE ignores an area because it is small",
        depth=0,
        global_rows=rows,
    )


def _global_from_local(rows: int, sizes: str) -> Prediction:
    return _looks(
        "trained by contrast, patches of a local area put more than half of what "
        f"uniform attention would leave to others on the global area; {sizes} patches",
        "simclr",
        "encoder/local_to_global",
        "contrastive attention stays where it was, or on the own area",
        depth=1,
        global_rows=rows,
    )


ATTENTION_DIVERSITY = Theory(
    paper="Huang, Wen, Chi & Liang, ICLR 2025, arXiv 2403.02233",
    summary=(
        "Images come in clusters, and each cluster cuts the patches into a global area "
        "of many patches and local areas of few. One layer of softmax attention is "
        "trained by gradient descent. To reconstruct a masked patch it must look at "
        "visible patches of the same area, so masked training learns the map of all "
        "areas, however unequal. Contrast needs only what tells clusters apart, so its "
        "attention collapses onto the global area from every position. Masked training "
        "hence has the more diverse attention."
    ),
    assumptions=(
        "one layer, one head, positions that are told apart",
        "features of areas are orthogonal and their strengths positive",
        "a global area of more than √P of the P patches, local areas of less",
        "training until convergence on the population",
    ),
    predictions={
        "H1-global": _looks(
            "a masked patch of the global area puts more than half of what uniform "
            "attention would leave to others on visible patches of its area",
            "mae",
            "decoder/global",
            "attention of masked patches that is near uniform, or follows place alone",
            each=("global_rows",),
            depth=0,
        ),
        "H1-local-3": _own_local(3, "18 against 6"),
        "H1-local-6": _own_local(4, "24 against 4"),
        "H1-local-15": _own_local(5, "30 against 2"),
        "H2-3": _global_from_local(3, "18 against 6"),
        "H2-15": _global_from_local(5, "30 against 2"),
        "H3": Prediction(
            claim="maps of two masked patches of an MAE differ more than those of two "
            "patches under SimCLR: by a tenth of all attention or more",
            form=Contrast(
                margin=0.1,
                treatment={
                    "method": "mae",
                    "target": "decoder/diversity",
                    "depth": 0,
                },
                baseline={"method": "simclr", "target": "encoder/diversity"},
            ),
            margin_reason=acted_on("a tenth of all attention"),
            experiment=PLANTED_AREAS,
            metric=area_attention,
            where={
                "target": ("decoder/diversity", "encoder/diversity"),
                "global_rows": (3, 5),
                "stop": 1.0,
            },
            control=_UNTRAINED,
            standing="derived",
            place="follows from the two theorems, over the one layer of each",
            refuted_by="contrastive maps that are as diverse",
            version=2,
            each=("global_rows",),
        ),
        "H3-encoder": Prediction(
            claim="of two encoders of one block the MAE's has the more diverse maps of "
            "whole images: by a tenth of all attention or more",
            form=Contrast(
                margin=0.1,
                treatment={"method": "mae"},
                baseline={"method": "simclr"},
            ),
            margin_reason=acted_on("a tenth of all attention"),
            experiment=PLANTED_AREAS,
            metric=area_attention,
            where={
                "target": "encoder/diversity",
                "depth": 1,
                "global_rows": (3, 5),
                "stop": 1.0,
            },
            control=Control(
                reason="both start from the same weights, which differ in nothing",
                where={"stop": 0.0},
            ),
            standing="extrapolation",
            place="experiments: attention diversity of pretrained vision transformers",
            refuted_by="contrastive maps that are as diverse",
            version=2,
            each=("global_rows",),
        ),
    },
    unmeasured={
        "H4": "two phases of learning, where the information gap is positive, take "
        "attention along the training, and full-batch descent from zero weights",
    },
)
