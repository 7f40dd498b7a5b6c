"""Liu et al. 2022: which masked predictions identify a hidden Markov model."""

from functools import partial

from mae_bench.experiments.identified_chains import IDENTIFIED_CHAINS
from mae_bench.metrics.parameter_error import parameter_error
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.records.schema import Setting
from mae_bench.theories import Prediction, Theory

_PAIRS: dict[str, Setting] = {"emissions": "symbols", "tokens": 2}
_TRIPLES: dict[str, Setting] = {"emissions": "symbols", "tokens": 3}
_GAUSSIAN: dict[str, Setting] = {"emissions": "gaussian", "tokens": 2}
_EMISSION, _EXCESS = {"target": "emission"}, {"target": "excess"}
_in_grid = partial(Prediction, experiment=IDENTIFIED_CHAINS, metric=parameter_error)
_PLACE = "its theorems, from memory; states that are uniform, and T doubly stochastic"

PARAMETER_IDENTIFIABILITY = Theory(
    paper="Liu, Hsu, Ravikumar & Risteski, NeurIPS 2022, arXiv 2202.09305",
    summary=(
        "Data come from a hidden Markov model, and the predictor has the form of its "
        "posterior. The question is whether the best predictor reveals the model's "
        "parameters. For discrete observations, predicting one token from another does "
        "not, since a matrix has many factorisations. With three tokens in the task it "
        "does, since a tensor's decomposition is unique (Kruskal). For Gaussian "
        "observations predicting one token from another is enough."
    ),
    assumptions=(
        "the predictor's form is that of the true posterior",
        "transitions and emissions of full rank, the optimum is reached",
        "the stationary distribution is known: uniform, as T is doubly stochastic",
    ),
    predictions={
        "PI1": _in_grid(
            claim="of predictors of one symbol from another, all as good as the best, "
            "some has emissions 0.05 or more in total variation from the chain's",
            form=Contrast(0.05, treatment={}, baseline=0.0),
            margin_reason="between what the family leaves, 0.1 to 0.2, and what two "
            "symbols from one leave, 0.01 to 0.03",
            where={**_PAIRS, **_EMISSION},
            control=Control(
                reason="a tensor has one decomposition: two symbols from one tell it",
                where=_TRIPLES,
            ),
            standing="theorem",
            place=_PLACE,
            refuted_by="best predictors that have one set of parameters",
        ),
        "PI2": _in_grid(
            claim="of predictors of two symbols from one, all as good as the best, "
            "every one has the chain's emissions to 0.05 in total variation",
            form=Equality(0.05, value=_EMISSION, exact=0.0),
            margin_reason="20,000 strings leave 0.01 to 0.03",
            where=_TRIPLES,
            control=Control(reason="pairs do not tell them", where=_PAIRS),
            standing="theorem",
            place=_PLACE,
            refuted_by="a best predictor of triples with other parameters",
        ),
        "PI2-transition": _in_grid(
            claim="of predictors of two symbols from one, all as good as the best, "
            "every one has the chain's transitions to 0.08 in total variation",
            form=Equality(0.08, value={"target": "transition"}, exact=0.0),
            margin_reason="20,000 strings leave a little more of a transition than of "
            "an emission",
            where=_TRIPLES,
            control=Control(reason="pairs do not tell them", where=_PAIRS),
            standing="theorem",
            place=_PLACE,
            refuted_by="a best predictor of triples with other transitions",
        ),
        "PI3": _in_grid(
            claim="of predictors of a Gaussian token from another, all as good as the "
            "best, every one has the chain's means to a tenth of their length",
            form=Equality(0.1, value=_EMISSION, exact=0.0),
            margin_reason="20,000 strings leave 0.02 to 0.06",
            where=_GAUSSIAN,
            control=Control(
                reason="of symbols pairs do not tell them, by more than a twentieth",
                where=_PAIRS,
                form=Equality(0.05, value=_EMISSION, exact=0.0),
            ),
            standing="theorem",
            place=_PLACE,
            refuted_by="a best predictor of pairs with other means",
        ),
        "PI1-optimum": _in_grid(
            claim="whatever their parameters, the best predictors of pairs and triples "
            "of symbols predict new strings as well as the chain does, to 0.005 nats",
            form=Equality(0.005, value=_EXCESS, exact=0.0, along=("tokens",)),
            margin_reason="twenty times what ten parameters of 20,000 strings leave, "
            "10 / 40,000",
            where={"emissions": "symbols"},
            control=Control(
                reason="without a chain there is no such predictor: none is compared"
            ),
            standing="derived",
            place="ours: that PI1 is no failure of descent",
            refuted_by="fits that are worse predictors",
        ),
    },
)
