"""Lee et al. 2021: predicting what only the class relates makes the class linear."""

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.shared_nuisance import SHARED_NUISANCE
from mae_bench.metrics.expectation_probe import expectation_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.oracles.forecasting import dependence_score, mask_of
from mae_bench.predictions import Control
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.trend import Trend
from mae_bench.records.schema import Settings
from mae_bench.theories import Forecast, Prediction, Standing, Theory, acted_on


def _reaches_bayes(
    claim: str, target: str, margin: float, least: str, standing: Standing
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Equality(
            margin=margin, value={"target": target}, exact={"target": "bayes"}
        ),
        margin_reason=acted_on(least),
        experiment=SHARED_NUISANCE,
        metric=expectation_probe,
        where={
            "target": (target, "bayes"),
            "strength": 0.0,
            "overlap": True,
            "stop": 1.0,
        },
        control=Control(
            reason="a nuisance that moves both halves along the class means hides the "
            "class from linear maps of the expectation, though not from Bayes",
            where={"strength": 2.0},
        ),
        standing=standing,
        place="exact conditional independence: the main theorem, by its statement",
        refuted_by="a gap to the Bayes accuracy although the halves are independent "
        "given the class",
    )


def _falls(
    claim: str, target: str, control: Control, standing: Standing, refuted_by: str
) -> Prediction:
    return Prediction(
        claim=claim,
        form=Trend(0.05, "strength", "decreasing", monotone=False),
        margin_reason=acted_on("five points of accuracy"),
        experiment=SHARED_NUISANCE,
        metric=expectation_probe,
        where={"target": target, "overlap": True, "stop": 1.0},
        control=control,
        standing=standing,
        place="approximate conditional independence: risk O(d2/n2 + ε_CI² + ε_pre²)",
        refuted_by=refuted_by,
        version=2,
    )


def _risk(factors: Settings) -> float | None:
    if factors["dataset"] != "gaussian_tree":
        return None
    return dependence_score(*mask_of(factors))


CONDITIONAL_INDEPENDENCE = Theory(
    paper="Lee, Lei, Saunshi & Zhuo, NeurIPS 2021, arXiv 2008.01064",
    summary=(
        "Predicting one part of the input from another, x2 from x1, learns "
        "ψ*(x1) = E[x2 | x1]. If the parts are independent given one of k classes, "
        "then ψ* is a mixture of the class means with weights P(y | x1). Where the k "
        "means are linearly independent these weights, and so the best classifier, are "
        "linear in ψ*, however nonlinear they are in x1. Few labels then suffice. "
        "Where the parts share more than the class, the excess risk is bounded by "
        "terms in ε_CI², how far ψ* is from that mixture, and in ε_pre², how far the "
        "learned ψ is from ψ*."
    ),
    assumptions=(
        "the parts are independent given the class, up to ε_CI",
        "the class means of x2 have rank k",
        "the expectation is learned, up to ε_pre",
    ),
    predictions={
        "L1": _reaches_bayes(
            "a linear probe of the exact E[x2 | x1] is as accurate as Bayes, within "
            "two points, where the halves are independent given the class",
            "exact",
            0.02,
            "two points of accuracy",
            "theorem",
        ),
        "L1-mae": _reaches_bayes(
            "a linear probe of what a trained MAE predicts of x2 is as accurate as "
            "Bayes, within three points, where the halves are independent given the "
            "class",
            "prediction",
            0.03,
            "three points, one more than of the exact expectation",
            "derived",
        ),
        "L2": _falls(
            "the accuracy of a linear probe of the exact E[x2 | x1] falls with ε_CI, "
            "though that of Bayes does not: the bound read as a trend on a line, for a "
            "nuisance along the class means",
            "exact",
            Control(
                reason="a nuisance at right angles to the class means raises ε_CI² as "
                "much, but the class stays linear in the expectation: the bound is far "
                "from tight there",
                where={"overlap": False, "stop": 0.0},
            ),
            "derived",
            "an error that does not depend on ε_CI",
        ),
        "L2-mae": _falls(
            "the accuracy of a linear probe of what a trained MAE predicts falls with "
            "ε_CI, on a line",
            "prediction",
            Control(
                reason="the accuracy of Bayes, which is not linear in the expectation, "
                "does not fall with ε_CI",
                where={"target": "bayes"},
            ),
            "derived",
            "an error that does not depend on ε_CI",
        ),
    },
    forecasts=(
        Forecast(
            experiment=FORECAST_GRID,
            metric=linear_probe,
            where={"token": "mean"},
            score=_risk,
            reason="-ε_CI² / β² of the Gaussian tree, exactly: what the visible part "
            "tells of the masked one beyond the root, over what the root tells of it",
        ),
    ),
    unmeasured={
        "L3": "that the labels needed grow with k and not with the width of x takes "
        "probes of several numbers of labels; here it is one",
    },
)
