"""Fu et al. 2025: masked patches need not read each other; the encoder is global."""

from mae_bench.experiments.decoder_attention import DECODER_ATTENTION
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Metric
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.theories import Prediction, Theory, acted_on

_WHOLE = {"mask_to_mask": True, "pos_embed": True}
_APART = {"mask_to_mask": False, "pos_embed": True}
_PLACELESS = {"mask_to_mask": True, "pos_embed": False}
_REASON = "positions of visible patches, unlike masked neighbours, are needed"


def _equal(value: dict[str, bool]) -> Equality:
    """Errors within 2 % of the whole decoder's."""
    return Equality(margin=0.02, value=value, exact=_WHOLE, relative=True)


def _no_change(treatment: dict[str, bool]) -> Equivalence:
    """R2 within 0.02 of the whole decoder's."""
    return Equivalence(
        margin=0.02, form=Contrast(margin=0.02, treatment=treatment, baseline=_WHOLE)
    )


def _few(metric: Metric, dataset: str, **where: str) -> Prediction:
    """A number of CrossMAE that is MAE's within 0.02."""

    def same(method: str) -> Equivalence:
        form = Contrast(0.02, treatment={"method": method}, baseline={"method": "mae"})
        return Equivalence(margin=0.02, form=form)

    return Prediction(
        claim="a decoder of cross-attention that is asked for a quarter of the patches "
        "in place of all masked ones leaves features as good, within 0.02",
        form=same("cross_mae"),
        margin_reason=acted_on("0.02 of an R2, or two points of accuracy"),
        experiment=LEADERBOARD,
        metric=metric,
        where={
            "dataset": dataset,
            "method": ("cross_mae", "mae", "random_init"),
            "token": "mean",
            **where,
        },
        control=Control(
            reason="an untrained encoder is no match for MAE",
            form=same("random_init"),
        ),
        standing="extrapolation",
        place="abstract: decoding only a small subset of mask tokens",
        refuted_by="features that are read worse, or better, by more than the margin",
    )


CROSS_ATTENTION_DECODER = Theory(
    paper="Fu et al., TMLR 2025, arXiv 2401.14391 (CrossMAE)",
    summary=(
        "An MAE's decoder attends among masked patches and from them to visible ones. "
        "What makes an image coherent is not the first but the representation that the "
        "encoder has of the whole. A decoder of cross-attention alone, which answers "
        "for each masked patch by itself, hence does as well. It may then answer for "
        "a few of them only, which is cheaper."
    ),
    assumptions=(
        "the encoder is strong enough to hold what is global",
        "cross-attention is a decoder in which masked patches read visible ones alone",
    ),
    predictions={
        "CM-error": Prediction(
            claim="without attention among masked patches the error is the same, "
            "within 2 %",
            form=_equal(_APART),
            margin_reason=acted_on("2 % of the error"),
            experiment=DECODER_ATTENTION,
            metric=reconstruction_error,
            where={"dataset": "gaussian_tree", "target": "masked"},
            control=Control(reason=_REASON, form=_equal(_PLACELESS)),
            standing="extrapolation",
            place="abstract: images are not made coherent by interactions between "
            "patches in the decoder",
            refuted_by="an error that is larger, or smaller, by more than the margin",
        ),
        "CM-root": Prediction(
            claim="without attention among masked patches the features are as good: "
            "the root is read as well, within 0.02 of R2",
            form=_no_change(_APART),
            margin_reason=acted_on("0.02 of an R2"),
            experiment=DECODER_ATTENTION,
            metric=linear_r2,
            where={
                "dataset": "gaussian_tree",
                "token": "mean",
                "target": "level_0",
            },
            control=Control(reason=_REASON, form=_no_change(_PLACELESS)),
            standing="extrapolation",
            place="abstract: comparable or superior performance; tables of linear "
            "probes, here of the tree's root",
            refuted_by="a root that is read worse, or better, by more than the margin",
        ),
        "CM-subset": _few(linear_r2, "gaussian_tree", target="level_0"),
        "CM-subset-digits": _few(linear_probe, "digits"),
    },
)
