"""K1 to K4 of Kong et al. 2023: the identifiability theorem, on trees that obey it."""

from collections.abc import Mapping

from mae_bench.experiments.bottleneck import BOTTLENECK
from mae_bench.experiments.located_masks import LOCATED_MASKS
from mae_bench.metrics.located_r2 import located_r2
from mae_bench.predictions import Control
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.records.schema import Setting
from mae_bench.theories import Prediction, acted_on

# As a block, c is z of the sinks of the shared ancestors, as the theorem has it. Node
# by node it is the node's own ε: z of a node outside c is in part its parent's, so
# that a high R² of it would prove nothing.
_AUTOENCODER = Control(
    reason="an autoencoder of the same visible patches has no reason to leave out "
    "what is private, nor room for c besides",
    where={"method": "autoencoder"},
)
_TENTH = "the theorem says 1 at the minimum; a tenth is left to training"
_NODES = tuple(f"1/{node}" for node in range(4))
_INSIDE = ("inside/0/0", *(f"inside/{node}" for node in _NODES))
_OUTSIDE = (
    *(f"outside/{node}" for node in _NODES),
    *(f"outside/2/{leaf}" for leaf in range(16)),
)
_AT_POINT = ("mask_family", "target")
_TRAINED: dict[str, Setting] = {"stop": 1.0}


def _left(target: str) -> dict[str, Setting]:
    return {"method": "mae", "mask_family": "left", "target": target}


IDENTIFIABILITY: Mapping[str, Prediction] = {
    "K1": Prediction(
        claim="a code as wide as c determines c: R² of c from the code is above 0.9 "
        "under the mask that cuts no sub-tree of level 1",
        form=Contrast(margin=0.9, treatment={}, baseline=0.0),
        margin_reason=_TENTH,
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where=_left("c") | _TRAINED,
        control=_AUTOENCODER,
        standing="theorem",
        place="Theorem 2",
        refuted_by="an R² clearly below 1 at a loss near its floor",
        ceiling=1.0,
        converged=True,
    ),
    "K1-reverse": Prediction(
        claim="c determines the code: R² of the whitened code from c is above 0.9, "
        "on average over four masks",
        form=Contrast(margin=0.9, treatment={}, baseline=0.0),
        margin_reason=_TENTH,
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where={"method": "mae", "stop": 1.0, "target": "code"},
        control=_AUTOENCODER,
        standing="theorem",
        place="Theorem 2",
        refuted_by="a code that holds more than c at a loss near its floor",
        ceiling=1.0,
        converged=True,
    ),
    "K1-linear": Prediction(
        claim="the code that minimises the loss is the inverse of the mechanisms, "
        "which is not linear: it tells more of c than the best linear code",
        form=Contrast(
            margin=0.02,
            treatment={"method": "mae"},
            baseline={"method": "reduced_rank"},
        ),
        margin_reason=acted_on("0.02 of an R2"),
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where=_left("c") | _TRAINED | {"method": ("mae", "reduced_rank")},
        control=Control(
            reason="a leaf's own noise is in neither code",
            where={"target": "private/eps_2"},
        ),
        standing="derived",
        place="Theorem 2, with mechanisms that no linear map inverts",
        refuted_by="a trained code that is no better than the linear one",
        ceiling=1.0,
        converged=True,
    ),
    "K2": Prediction(
        claim="a code as wide as c holds nothing of what is private to the visible "
        "part: the private nodes of level 1 are not to be read from it, given c",
        form=Equivalence(
            margin=0.1, form=Contrast(margin=0.1, treatment={}, baseline=0.0)
        ),
        margin_reason="the theorem says 0 at the minimum; a tenth is left to training",
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where={"method": "mae", "stop": 1.0, "target": "private/eps_1"},
        control=_AUTOENCODER,
        standing="theorem",
        place="Theorem 1 (2), Theorem 2",
        refuted_by="private latents recovered at the right width",
        version=2,
        each=("mask_family",),
        converged=True,
    ),
    "K3": Prediction(
        claim="a code narrower than c loses c",
        form=Contrast(
            margin=0.1, treatment={"bottleneck": 2}, baseline={"bottleneck": 1}
        ),
        margin_reason=acted_on("a tenth of an R2"),
        experiment=BOTTLENECK,
        metric=located_r2,
        where=_left("c"),
        control=Control(
            reason="a leaf's own noise is in neither code",
            where={"target": "private/eps_2"},
        ),
        standing="derived",
        place="Theorem 2, given the true dimensions",
        refuted_by="all of c in a code that is narrower",
        ceiling=1.0,
        converged=True,
    ),
    "K3-saturation": Prediction(
        claim="a code wider than c tells no more and no less of c",
        form=Equivalence(
            margin=0.05,
            form=Contrast(
                margin=0.05, treatment={"bottleneck": 8}, baseline={"bottleneck": 2}
            ),
        ),
        margin_reason="the theorem says no difference; half of what K3 asks for is "
        "left to training",
        experiment=BOTTLENECK,
        metric=located_r2,
        where=_left("c"),
        control=Control(
            reason="below the width of c a number more does tell more",
            form=Equivalence(
                margin=0.05,
                form=Contrast(
                    margin=0.05,
                    treatment={"bottleneck": 2},
                    baseline={"bottleneck": 1},
                ),
            ),
        ),
        standing="derived",
        place="Theorem 2, given the true dimensions",
        refuted_by="an R² of c that moves with the width above that of c",
        converged=True,
    ),
    "K3-private": Prediction(
        claim="a code wider than c has room for what is private, and takes it in",
        form=Contrast(
            margin=0.1, treatment={"bottleneck": 8}, baseline={"bottleneck": 2}
        ),
        margin_reason=acted_on("a tenth of an R2"),
        experiment=BOTTLENECK,
        metric=located_r2,
        where=_left("private/eps_1"),
        control=Control(
            reason="a code that is too narrow for c takes in nothing else",
            form=Contrast(
                margin=0.1, treatment={"bottleneck": 1}, baseline={"bottleneck": 2}
            ),
        ),
        standing="extrapolation",
        place="Theorem 2 gives no guarantee above the true dimension",
        refuted_by="private parts that stay out of a wider code",
        ceiling=1.0,
        converged=True,
    ),
    "K3-reverse": Prediction(
        claim="a code wider than c is no function of c in all its directions",
        form=Contrast(
            margin=0.05, treatment={"bottleneck": 2}, baseline={"bottleneck": 8}
        ),
        margin_reason=acted_on("0.05 of an R2"),
        experiment=BOTTLENECK,
        metric=located_r2,
        where=_left("code"),
        control=Control(
            reason="c itself is told no worse by the wider code",
            where={"target": "c"},
        ),
        standing="extrapolation",
        place="Theorem 2 gives no guarantee above the true dimension",
        refuted_by="a whitened wider code that c still determines",
        ceiling=1.0,
        converged=True,
    ),
    "K4": Prediction(
        claim="which nodes of level 1 the code holds follows from the mask alone: "
        "those that it cuts are told apart from those that it leaves whole, with all "
        "masks taken together",
        form=Membership(margin=0.9),
        margin_reason="the theorem says 1, chance is one half; a tenth is left to "
        "training",
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where={
            "method": "mae",
            "stop": 1.0,
            "target": tuple(f"{s}/{n}" for s in ("inside", "outside") for n in _NODES),
        },
        control=_AUTOENCODER,
        standing="theorem",
        place="Theorem 1, Fig. 4",
        refuted_by="a node outside c(m) recovered better than one inside",
        ceiling=1.0,
        converged=True,
    ),
    "K4-inside": Prediction(
        claim="of every node that the mask makes shared the code tells more than half "
        "(no margin)",
        form=Bound(margin=0.0, value={"target": _INSIDE}, limit=0.5, along=_AT_POINT),
        margin_reason="none: the limit, one half, is a reading of what it is to hold a "
        "node",
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where={"method": "mae", "stop": 1.0},
        control=_AUTOENCODER,
        standing="derived",
        place="Theorem 2, for each mask",
        refuted_by="any shared node that the code does not hold",
        converged=True,
    ),
    "K4-outside": Prediction(
        claim="of every other visible node the code tells less than half (no margin)",
        form=Bound(
            margin=0.0,
            value={"target": _OUTSIDE},
            limit=0.5,
            along=_AT_POINT,
            sign=-1,
        ),
        margin_reason="none: the limit, one half, is a reading of what it is to hold a "
        "node",
        experiment=LOCATED_MASKS,
        metric=located_r2,
        where={"method": "mae", "stop": 1.0},
        control=_AUTOENCODER,
        standing="theorem",
        place="Theorem 1 (2), Theorem 2, for each mask",
        refuted_by="any private node in a code of the right width",
        converged=True,
    ),
}
