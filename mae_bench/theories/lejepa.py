"""Klindt, LeCun & Balestriero 2026: when LeJEPA's features are the causes, turned.

Both bounds hold of any function; checkpoints of unfinished and of failed runs count.
"""

from functools import partial

from mae_bench.experiments.lejepa_rates import LEJEPA_RATES
from mae_bench.experiments.lejepa_shapes import LEJEPA_SHAPES
from mae_bench.metrics.alignment_slack import alignment_slack
from mae_bench.metrics.held_out_loss import held_out_loss
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.peak import Peak
from mae_bench.theories import Prediction, Theory

_ALL = ("alpha", "rho", "lamb", "stop")
_CODE = {"token": "code", "view": "unmasked"}
_END = {"rho": 0.9, "lamb": 0.02, "stop": 1.0}
_CAUSES, _DRIFT = {"target": "level_0"}, {"target": "level_1"}
_slack = partial(Prediction, experiment=LEJEPA_SHAPES, metric=alignment_slack)
_probe = partial(Prediction, experiment=LEJEPA_SHAPES, metric=linear_r2)
_ranks = partial(
    Prediction,
    experiment=LEJEPA_RATES,
    metric=linear_r2,
    against=held_out_loss,
    control=Control(
        reason="untrained, a loss differs by its weights alone, and features by none",
        where={"stop": 0.0},
    ),
    standing="extrapolation",
    refuted_by="a low loss of features that tell less",
)


def _by_loss(margin: float) -> Association:
    return Association(
        margin,
        x={"metric": "held_out_loss", "target": "mean"},
        y={"metric": "linear_r2", **_CODE, **_CAUSES},
        along=("lamb", "lr"),
        sign=-1,
    )


LEJEPA = Theory(
    paper="Klindt, LeCun & Balestriero 2026, arXiv 2605.26379 (its code was read; the "
    "bounds are derived here)",
    summary=(
        "Causes drift as an Ornstein-Uhlenbeck process and are seen through an unknown "
        "invertible map. Features of unit covariance that agree at two moments as far "
        "as they can are linear in the causes, because every other Hermite polynomial "
        "is forgotten faster. How far they are from a rotation of the causes is "
        "bounded by what agreement and isotropy lack. LeJEPA asks for agreement and "
        "for Gaussian features, and so finds Gaussian causes up to a rotation. Of "
        "causes of another shape it finds a Gaussian relative, and a linear read-out "
        "tells less of them."
    ),
    assumptions=(
        "as many features as causes, centred, of any encoder",
        "causes are Gaussian or functions of Gaussian ones, coordinate by coordinate",
        "for what is found in the end: training reaches the optimum",
    ),
    predictions={
        "LJ1": _slack(
            claim="the features of every checkpoint change by 2 (1-rho) tr Cov h or "
            "more from moment to moment, to 3 %",
            form=Bound(0.03, value={"target": "loss"}, limit=1.0, along=_ALL),
            margin_reason="of 20,000 pairs the loss has a deviation of 1 / 20,000^1/2 "
            "= 0.7 %; 3 % are four of these",
            where={},
            control=Control(
                reason="features that are linear in the causes change less than a "
                "square would",
                form=Bound(
                    0.03, value={"target": "loss_square"}, limit=1.0, along=_ALL
                ),
            ),
            standing="theorem",
            place="alignment bound, with equality for linear features alone",
            refuted_by="features that change less, at any checkpoint of any run",
        ),
        "LJ2": _slack(
            claim="the features of every checkpoint are within D + (eps + D)^2 of a "
            "rotation of the causes, to 3 %",
            form=Bound(
                0.03, value={"target": "excess"}, limit=1.0, along=_ALL, sign=-1
            ),
            margin_reason="that of LJ1, from whose pairs it is computed",
            where={},
            control=Control(
                reason="nothing says which rotation: the causes themselves are farther",
                form=Bound(
                    0.03,
                    value={"target": "excess_unturned"},
                    limit=1.0,
                    along=_ALL,
                    sign=-1,
                ),
            ),
            standing="theorem",
            place="approximate identifiability; its figure drops runs of R2 < .5",
            refuted_by="features that are farther, at any checkpoint of any run",
        ),
        "LJ3": _probe(
            claim="a linear read-out of the features tells most of Gaussian causes: "
            "some shape inside the range is above both its ends by 0.03",
            form=Peak(0.03, "alpha"),
            margin_reason="three quarters of the smallest exact step: 0.78 at 1/2, "
            "0.96 at 1, 1 at 2, 0.99 at 4, 0.96 at 16",
            where={**_END, **_CODE, **_CAUSES},
            control=Control(
                reason="their Gaussian relatives are found at any shape",
                where=_DRIFT,
            ),
            standing="derived",
            place="uniqueness: linear identifiability if and only if Gaussian",
            refuted_by="causes of another shape that are told as well",
            converged=True,
            ceiling=1.0,
        ),
        "LJ3-exact": _probe(
            claim="at every shape of latents a linear read-out tells Corr(u, z)^2 of "
            "them, to 0.08",
            form=Equality(
                0.08,
                value={"metric": "linear_r2", **_CODE, **_CAUSES},
                exact={"metric": "alignment_slack", "target": "r2_exact"},
                along=("alpha",),
            ),
            margin_reason="training leaves 0.03 to 0.05 of nonlinearity at alpha = 2",
            against=alignment_slack,
            where=_END,
            control=Control(
                reason="their Gaussian relatives are told as well at every shape",
                form=Equality(
                    0.08,
                    value={"metric": "linear_r2", **_CODE, **_DRIFT},
                    exact={"metric": "alignment_slack", "target": "r2_exact"},
                    along=("alpha",),
                ),
            ),
            standing="derived",
            place="ours: the optimum is the Gaussian relative, turned",
            refuted_by="features that are not those of the Gaussian relative",
            converged=True,
        ),
        "LJ-D1": _probe(
            claim="what LeJEPA finds is the Gaussian relative of the causes: at every "
            "shape a linear read-out tells 0.9 of it or more",
            form=Contrast(0.9, treatment=_DRIFT, baseline=0.0),
            margin_reason="exact is 1; a tenth is left to training",
            where={**_END, **_CODE},
            control=Control(
                reason="after a tenth of the training the spiral is not undone",
                where={"stop": 0.1},
            ),
            standing="derived",
            place="ours: LJ1 holds of functions of u, whatever the shape of z",
            refuted_by="heavy or light tails that are not undone",
            converged=True,
            ceiling=1.0,
            each=("alpha",),
        ),
        "LL1": _ranks(
            claim="over weights and learning rates, the lower the held-out loss, the "
            "more a linear read-out tells of the causes: Kendall's tau of a half or "
            "more",
            form=_by_loss(0.5),
            margin_reason="three of four pairs of runs in the right order, of which "
            "the loss could be used to choose",
            where={"stop": 1.0},
            place="arXiv 2511.08544, abstract: the loss tells of downstream accuracy",
        ),
        "LL1-stated": _ranks(
            claim="they do so as well as is stated, with a Spearman correlation of .94 "
            "or more: of Gaussians a Kendall's tau of .79",
            form=_by_loss(0.79),
            margin_reason="the number stated; tau = 2 / pi asin(2 sin(.94 pi / 6))",
            where={"stop": 1.0},
            place="arXiv 2511.08544: a Spearman correlation of 94 % and more",
        ),
    },
    unmeasured={
        "LJ-ablation": "that contrast or whitening in place of SIGReg do as well: "
        "neither has a perceptron here",
    },
)
