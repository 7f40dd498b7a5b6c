"""Liu et al. 2026: what predicts tokens is linear in the log posterior of concepts.

Only the paper's abstract could be read. Why it should be so is our reading: of any
concepts c, log P(y | x) is the mean over P(c | y, x) of log P(c | x) + log P(y | c)
- log P(c | y, x), which is linear in log P(c | x) if c is known from y and x together
and P(c | y, x) is nearly P(c | y). Where c stays in doubt, P(y | x) is a mixture,
linear in the posterior itself.

A gain of R2 alone proves nothing of what was learned: pixels with Gaussian noise are
linear in log likelihoods, and so are the features of untrained networks.
"""

from functools import partial

from mae_bench.experiments.log_posterior import LOG_POSTERIOR
from mae_bench.metrics.log_posterior_r2 import log_posterior_r2
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory

_in_grid = partial(Prediction, experiment=LOG_POSTERIOR, metric=log_posterior_r2)
_GAIN = 0.02
_WHY = "probes of 2,000 images scatter by about a point"
_DOUBT = Control(
    reason="with a quarter visible the root stays in doubt, and tokens are mixtures",
    where={"mask_ratio": 0.75},
)
_UNTRAINED = Control(
    reason="an untrained network predicts nothing", where={"stop": 0.0}
)


def _gain(read: str, of: str, place: str, control: Control) -> Prediction:
    target = f"gain/{read}"
    return _in_grid(
        claim=f"where the root is nearly always known, {of} are linear in its log "
        "posterior rather than in its posterior: the R2 is higher by 0.02 or more",
        form=Contrast(_GAIN, treatment={"target": target}, baseline=0.0),
        margin_reason=_WHY,
        where={"mask_ratio": 0.5, "stop": 1.0},
        control=control,
        standing="extrapolation",
        place=place,
        refuted_by="features that tell the posterior as well as its logarithm",
    )


LOG_POSTERIOR_FEATURES = Theory(
    paper='Liu, Gong, Cai et al. 2026, "I predict therefore I am", arXiv 2503.08980 '
    "(only its abstract could be read; it is of next-token prediction)",
    summary=(
        "Tokens are caused by discrete concepts. A network that predicts a token by a "
        "softmax has features that are, up to a linear map, the logarithm of the "
        "posterior probabilities of the concepts given what it sees. This asks for "
        "tokens diverse enough to tell the concepts apart, and for no invertible map "
        "from concepts to tokens. Linear probes of such features find concepts for "
        "that reason. Here the concept is the root of a hierarchy of symbols, and "
        "what is predicted are the tokens of masked leaves."
    ),
    assumptions=(
        "the softmax predictor is the optimal one",
        "tokens are diverse: their laws given the concepts are linearly independent",
        "as we read it: a token, together with what is visible, settles the concept",
    ),
    predictions={
        "IP1": _gain(
            "logits",
            "the logits of the masked tokens",
            "abstract: f(x) ~ A log p(c|x) + b",
            _UNTRAINED,
        ),
        "IP1-encoder": _gain(
            "mean",
            "the encoder's features of the visible leaves",
            "abstract: representations; which layer is ours",
            _UNTRAINED,
        ),
        "IP1-exact": _gain(
            "exact",
            "the logarithms of the tokens' exact probabilities, without a network,",
            "ours: the optimal predictor, by belief propagation",
            _DOUBT,
        ),
        "IP1-linear": _in_grid(
            claim="at both ratios the logits tell 0.9 or more of the root's log "
            "posterior linearly",
            form=Contrast(0.9, treatment={"target": "log/logits"}, baseline=0.0),
            margin_reason="one tenth is left to a finite probe and to training, as in "
            "the other claims on R2",
            where={"stop": 1.0},
            control=_UNTRAINED,
            standing="extrapolation",
            place="abstract: f(x) ~ A log p(c|x) + b, as a coefficient near 1",
            refuted_by="a log posterior that is not linear in the features",
            ceiling=1.0,
            each=("mask_ratio",),
        ),
        "IP-D1": _in_grid(
            claim="where the root stays in doubt it is the other way round: the logits "
            "are linear in its posterior rather than in the logarithm, by 0.02 of R2",
            form=Contrast(
                _GAIN, treatment={"target": "gain/logits"}, baseline=0.0, sign=-1
            ),
            margin_reason=_WHY,
            where={"mask_ratio": 0.75, "stop": 1.0},
            control=Control(
                reason="with half visible the root is nearly always known",
                where={"mask_ratio": 0.5},
            ),
            standing="derived",
            place="ours: P(y | x) is a mixture over concepts; cf. Lee et al. 2021",
            refuted_by="a log posterior that is the more linear even there",
        ),
    },
)
