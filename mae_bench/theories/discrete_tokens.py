"""Du et al. 2024: tokens as targets help if they join images of the same class."""

from functools import partial

from mae_bench.experiments.token_targets import TOKEN_TARGETS
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.token_mixing import token_mixing
from mae_bench.predictions import Control
from mae_bench.predictions.association import Association
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory

_TRAINED, _UNTRAINED = {"stop": 1.0}, {"stop": 0.0}
_PROBE = {"view": "unmasked", "token": "mean", "target": ""}
_in_grid = partial(Prediction, experiment=TOKEN_TARGETS, metric=linear_probe)

DISCRETE_TOKENS = Theory(
    paper="Du, Wang & Wang, ICLR 2024, arXiv 2407.09087 (ClusterMIM; its abstract and "
    "notes on it were read: TCAS is read as the share of links between classes)",
    summary=(
        "Masked modelling links two visible parts if they share a masked target. "
        "Discrete tokens merge targets and so add links. Tokens that merge targets of "
        "one class lower the bound on the error of a linear classifier, tokens that "
        "mix classes raise it. The best tokens would be the class labels. The "
        "similarity of tokens and classes, TCAS, ranks tokenizers without training."
    ),
    assumptions=(
        "the bound of the mask graph ranks as the error does",
        "targets with one token are as good as one target",
    ),
    predictions={
        "T1": _in_grid(
            claim="over seven tokenisers the probe falls with the share of links that "
            "are between classes: Kendall's tau of -0.3 or beyond",
            form=Association(
                0.3,
                x={"metric": token_mixing.id, "target": "mixing"},
                y={"metric": linear_probe.id, "token": "mean", "target": ""},
                along=("tokens", "vocabulary"),
                sign=-1,
            ),
            against=token_mixing,
            margin_reason="of seven points in random order tau is beyond it in a "
            "fifth of the cases, of one seed",
            where=_TRAINED,
            control=Control(
                reason="an encoder that was not trained has seen no token",
                where=_UNTRAINED,
            ),
            standing="derived",
            place="the bound on the mask graph with merged targets; TCAS ranks "
            "tokenizers",
            refuted_by="probes that do not follow the tokens' mixing, or rise with it",
        ),
        "T1-merging": _in_grid(
            claim="at 8 tokens merged by class from 128 clusters, in place of dealt at "
            "random, the probe gains two points",
            form=Contrast(
                0.02, treatment={"tokens": "aligned"}, baseline={"tokens": "mixed"}
            ),
            margin_reason="seven images of 360, paired; what a reader would call "
            "better",
            where={"vocabulary": 8, **_TRAINED, **_PROBE},
            control=Control(
                reason="an encoder that was not trained has seen no token",
                where=_UNTRAINED,
            ),
            standing="derived",
            place="merging within classes lowers the bound, across them raises it",
            refuted_by="tokens at random that are as good",
        ),
        "T2": _in_grid(
            claim="class labels as tokens are two points better than clusters of "
            "pixels, as many (10 and 8)",
            form=Contrast(
                0.02, treatment={"tokens": "classes"}, baseline={"tokens": "clusters"}
            ),
            margin_reason="that of T1-merging",
            where={"vocabulary": 8, **_TRAINED, **_PROBE},
            control=Control(
                reason="an encoder that was not trained has seen no token",
                where=_UNTRAINED,
            ),
            standing="derived",
            place="the best tokens are the class labels",
            refuted_by="clusters of pixels that are as good",
        ),
    },
)
