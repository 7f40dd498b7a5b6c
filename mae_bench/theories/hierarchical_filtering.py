"""Garnier-Brun et al. 2025: longer correlations enter one after the other.

Of the paper its abstract was read. That the loss passes the exact losses of filtered
decoders in order says nothing: they are ordered, so whatever falls passes them so.
What is asked here is whether the network *is* each of these decoders in its turn.
"""

from functools import partial

from mae_bench.experiments.filtered_decoders import FILTERED_DECODERS
from mae_bench.metrics.filtered_loss import filtered_loss
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, Theory

_in_runs = partial(Prediction, experiment=FILTERED_DECODERS, metric=filtered_loss)
_END = {"stop": 1.0}
_SHARE = {"target": "share"}
_STAGES = ("kl_cut_2", "kl_cut_1", "kl_full")
_NATS = 0.05
_WHY = (
    "between the leaves' marginal and the decoder without the root lie 1.06 nats, "
    "between this and Bayes 0.29: a twentieth of the one and a sixth of the other"
)

HIERARCHICAL_FILTERING = Theory(
    paper="Garnier-Brun, Mézard, Moscato & Saglietti 2025, arXiv 2408.15138 (only its "
    "abstract could be read: what is filtered and how it is measured is ours)",
    summary=(
        "On data that a tree of symbols generates, transformers that are trained on "
        "masked tokens come to compute what belief propagation would. They do so from "
        "the leaves up: correlations of longer range are learned one after the other. "
        "In the course of training a network is therefore like the exact decoder of a "
        "tree that is filtered, whose nodes of some level are independent, with fewer "
        "and fewer levels filtered away. Its distance to the unfiltered decoder goes "
        "to nought with the steps."
    ),
    assumptions=(
        "the network is large enough to do what belief propagation does",
        "images are fresh, so that only the steps limit what is learned",
        "a filtered level is drawn node by node, each from its own marginal",
    ),
    predictions={
        "GB1": _in_runs(
            claim="with 16 times the steps a network comes nearer to Bayes by half or "
            "more of what only the root tells, and no budget leads back",
            form=Trend(0.5, "steps", "decreasing"),
            margin_reason="in units of what only the root tells: half of the way that "
            "is to be gone",
            where={**_END, **_SHARE},
            control=Control(
                reason="the leaves' marginal is left behind",
                where={"target": "kl_cut_2"},
            ),
            standing="extrapolation",
            place="abstract: networks approach the exact predictor",
            refuted_by="a distance that more steps do not take away",
        ),
        "GB1-reach": _in_runs(
            claim="after 24,000 steps less is left of the distance to Bayes than a "
            "tenth of what only the root tells",
            form=Equality(0.1, value=_SHARE, exact=0.0),
            margin_reason="a tenth of what only the root tells, which is less than "
            "any reader would call using the root",
            where={**_END, "steps": 24_000},
            control=Control(
                reason="after 1,500 steps MAE explains no more than the decoder "
                "without the root (recoverability), all of the distance",
                where={"steps": 1500},
            ),
            standing="extrapolation",
            place="abstract: the exact inference algorithm is what is implemented",
            refuted_by="a network that stays where it does not use the root",
        ),
        "GB2": _in_runs(
            claim="in the course of 6,000 steps a network comes near to the decoder "
            "without the root and leaves it again: the distance has a valley of 0.05 "
            "nats or more on both sides",
            form=Peak(_NATS, "stop", minimum=True),
            margin_reason=_WHY,
            where={"steps": 6000, "target": "kl_cut_1"},
            control=Control(
                reason="it never leaves Bayes again", where={"target": "kl_full"}
            ),
            standing="extrapolation",
            place="abstract: sequential inclusion of longer-range correlations",
            refuted_by="a distance to the filtered decoder that only falls, or only "
            "rises",
        ),
        "GB2-first": _in_runs(
            claim="after 75 steps of 1,500 a network is nearest to the leaves' "
            "marginal, next to the decoder without the root, farthest from Bayes, by "
            "0.05 nats a step",
            form=Ordering(_NATS, "target", levels=_STAGES),
            margin_reason=_WHY,
            where={"steps": 1500, "stop": 0.05, "target": _STAGES},
            control=Control(
                reason="by the end the siblings are known", where={"stop": 1.0}
            ),
            standing="extrapolation",
            place="abstract, as read here: the shortest correlations first",
            refuted_by="long correlations in the first steps",
        ),
        "GB2-second": _in_runs(
            claim="after 1,500 steps a network is nearer to the decoder without the "
            "root than to Bayes and to the leaves' marginal, by 0.05 nats",
            form=Ordering(_NATS, "target", levels=("kl_cut_1", "kl_full", "kl_cut_2")),
            margin_reason=_WHY,
            where={"steps": 1500, **_END, "target": _STAGES},
            control=Control(
                reason="after 24,000 steps it is nearer to Bayes",
                where={"steps": 24_000},
            ),
            standing="extrapolation",
            place="abstract, as read here; the number of steps is of recoverability",
            refuted_by="a network that uses the root as soon as the siblings",
        ),
        "GB2-third": _in_runs(
            claim="after 24,000 steps a network is nearer to Bayes than to the decoder "
            "without the root, by 0.05 nats",
            form=Contrast(
                _NATS, treatment={"target": "kl_cut_1"}, baseline={"target": "kl_full"}
            ),
            margin_reason=_WHY,
            where={"steps": 24_000, **_END},
            control=Control(
                reason="after 1,500 steps the root is not used", where={"steps": 1500}
            ),
            standing="extrapolation",
            place="abstract, as read here",
            refuted_by="a network that stays near the filtered decoder",
        ),
    },
    unmeasured={
        "GB2-pass": "that the loss passes the exact losses of the filtered decoders in "
        "order: they are ordered, so that any loss that falls does; GB2 asks for more",
        "GB3": "that attention maps, and probes layer by layer, reconstruct the tree "
        "level after level: of two layers no order could be told",
    },
)
