"""What Theorem 1 says of random masks on trees, and whether trained networks follow.

The shared latents c(m) of random aligned masks on a quadtree are counted: their level
is set by the mask's unit and not by its ratio, and a mask shares what its complement
does. So an inverted U in the ratio does not follow from the theorem on such trees.

References:
    Kong et al. 2023, arXiv 2306.04898, Theorem 1; the consequences are this project's.
"""

from collections.abc import Mapping

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.experiments.root_use import ROOT_USE
from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.located_level import located_level
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, acted_on

_COMPLEMENTS = Contrast(0.0, {"mask_ratio": 0.25}, {"mask_ratio": 0.75})
_SIZE_MOVES = Control(
    reason="what the ratio does set is the size of c", where={"target": "size"}
)
_NO_COMPLEMENTS = Contrast(0.0, {"mask_ratio": 0.125}, {"mask_ratio": 0.75})
_UNLIKE = "the ratios 0.125 and 0.75 are no complements: c(m) differs in size"

LOCATION: Mapping[str, Prediction] = {
    "K1-root": Prediction(
        claim="an encoder holds what the mask makes shared: a trained one explains "
        "more of the masked part than the exact decoder that does without the root",
        form=Contrast(
            margin=0.02,
            treatment={"target": "explained_masked"},
            baseline={"target": "explained_bayes_cut_1"},
        ),
        margin_reason=acted_on("0.02 of the variance")
        + "; set after a pilot in the same worlds, which it agrees with",
        experiment=ROOT_USE,
        metric=reconstruction_error,
        where={"stop": 1.0},
        control=Control(
            reason="an untrained network explains nothing", where={"stop": 0.0}
        ),
        standing="derived",
        place="Theorem 2; the root is in or above c(m) of every mask",
        refuted_by="no more explained than can be without the root",
        ceiling={"target": "explained_bayes"},
        converged=True,
    ),
    "K-D1-ratio": Prediction(
        claim="the mean level of c(m) does not depend on the mask ratio",
        form=Equivalence(margin=0.05, form=Trend(0.0, "mask_ratio")),
        margin_reason="counted, it does not move; a twentieth of a level is left to "
        "the masks drawn",
        experiment=MASK_RATIO,
        metric=located_level,
        where={"dataset": "gaussian_tree", "target": "level"},
        control=_SIZE_MOVES,
        standing="derived",
        place="Theorem 1, counted on a quadtree",
        refuted_by="a level that moves with the ratio",
    ),
    "K-D1-unit": Prediction(
        claim="a mask unit of twice the side raises the level of c(m) by one",
        form=Contrast(0.9, {"mask_unit": 4}, {"mask_unit": 2}),
        margin_reason="counted, it is one level; a tenth is left to the masks drawn",
        experiment=MASK_UNIT_BY_PATCH_SIZE,
        metric=located_level,
        where={
            "dataset": ("gaussian_tree", "random_hierarchy"),
            "patch_size": 2,
            "target": "level",
        },
        control=Control(
            reason="the size of c does not rise with the unit", where={"target": "size"}
        ),
        standing="derived",
        place="Theorem 1, counted on a quadtree",
        refuted_by="a level that stays where it is",
        version=2,
        each=("dataset", "mask_ratio"),
    ),
    "K-D2": Prediction(
        claim="c(m) is as large at ratio r as at 1 - r",
        form=Equivalence(margin=0.05, form=_COMPLEMENTS),
        margin_reason="counted, they are equal; a twentieth of a node is left to the "
        "masks drawn",
        experiment=SYMMETRY,
        metric=located_level,
        where={"target": "size"},
        control=Control(
            reason=_UNLIKE, form=Equivalence(margin=0.05, form=_NO_COMPLEMENTS)
        ),
        standing="derived",
        place="Theorem 1: c(m) is that of the complement",
        refuted_by="sizes that differ",
    ),
    "K-D2-features": Prediction(
        claim="if c(m) decided alone, features would be as good at r as at 1 - r: the "
        "root is read as well at 0.25 as at 0.75",
        form=Equivalence(margin=0.02, form=_COMPLEMENTS),
        margin_reason=acted_on("0.02 of an R2"),
        experiment=SYMMETRY,
        metric=linear_r2,
        where={"token": "mean", "view": "unmasked", "target": "level_0"},
        control=Control(
            reason=_UNLIKE, form=Equivalence(margin=0.02, form=_NO_COMPLEMENTS)
        ),
        standing="derived",
        place="Theorem 1: c(m) is that of the complement",
        refuted_by="a difference, which then is one of estimation or capacity",
        converged=True,
    ),
    "K-D3": Prediction(
        claim="the size of c(m) is what the formula for P(node in c) says",
        form=Equality(
            margin=0.01,
            value={"target": "size"},
            exact={"target": "size_exact"},
            relative=True,
            along=("mask_ratio",),
        ),
        margin_reason="the formula is exact; 1 % is left to the masks drawn",
        experiment=MASK_RATIO,
        metric=located_level,
        where={
            "dataset": "gaussian_tree",
            "target": ("level", "size", "size_exact"),
        },
        control=Control(
            reason="the level is another quantity, of which this formula says nothing",
            form=Equality(
                margin=0.01,
                value={"target": "level"},
                exact={"target": "size_exact"},
                relative=True,
                along=("mask_ratio",),
            ),
        ),
        standing="derived",
        place="Theorem 1, counted on a quadtree",
        refuted_by="sizes that miss the formula by more than the drawn masks can",
    ),
}
