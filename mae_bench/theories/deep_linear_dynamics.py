"""Littwin et al. 2024: MAE learns first what covaries, JEPA what is predictable."""

from collections.abc import Mapping
from typing import Any

from mae_bench.datasets.linear_pair import LinearPair
from mae_bench.experiments.mode_dynamics import MODE_DYNAMICS
from mae_bench.metrics.mode_times import mode_times
from mae_bench.oracles.deep_linear import half_time
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.trend import Trend
from mae_bench.records.registry import settings
from mae_bench.records.schema import Setting
from mae_bench.theories import Forecast, Prediction, Theory

_START, _SMALL_START = 0.02, 1e-4
_MAE: dict[str, Setting] = {"objective": "mae", "init_scale": _SMALL_START}
_JEPA: dict[str, Setting] = {"objective": "jepa", "init_scale": _START}
_BIAS: dict[str, Setting] = {"target": "rho_bias"}
_PIXELS = Control(
    reason="pixel prediction from the same start does not wait for small rho",
    where={"objective": "mae"},
)


def _rho_bias(point: Mapping[str, Any]) -> float:
    """Time of the least ρ over that of the greatest, by gradient flow."""
    world: Mapping[str, Any] = settings(LinearPair)
    network = {name: value for name, value in point.items() if name != "dataset"}
    low, high = (
        half_time(1.0, world[rho], **network) for rho in ("rho_low", "rho_high")
    )
    return low / high


DEEP_LINEAR_DYNAMICS = Theory(
    paper="Littwin et al., NeurIPS 2024, arXiv 2407.03475",
    summary=(
        "In deep linear networks whose input and cross covariances are diagonal "
        "together, every mode follows an equation of its own. Predicting pixels (MAE) "
        "learns a mode in the inverse of its covariance lambda, whatever its "
        "regression coefficient rho. Predicting features behind a stopped gradient "
        "(JEPA) is delayed where rho is small, the more the deeper the encoder. A "
        "mode's plateau is rho^(L / (L + 1)) for MAE and rho^L for JEPA: MAE keeps "
        "noisy features of large variance that JEPA suppresses."
    ),
    assumptions=(
        "a deep linear encoder and a linear decoder or predictor",
        "covariances of the inputs and between views are diagonal together",
        "a small, balanced, aligned start and gradient flow",
    ),
    predictions={
        "LW1": Prediction(
            claim="MAE learns modes of equal lambda at the same time, to 5 %, whatever "
            "their rho, with two layers and with three",
            form=Equality(margin=0.05, value={}, exact=1.0, along=("depth",)),
            margin_reason="from this start gradient flow says 0.997 and 0.999 of MAE, "
            "and 1.22 or more of JEPA",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_MAE, **_BIAS, "depth": (2, 3)},
            control=Control(
                reason="feature prediction delays small rho by 20 % or more (LW2)",
                where=_JEPA,
            ),
            standing="derived",
            place="critical time of MAE, of leading order 1 / lambda",
            refuted_by="times of MAE that depend on rho at equal lambda",
        ),
        "LW1-lambda": Prediction(
            claim="MAE learns a mode of twice the lambda in half the time, to 5 %",
            form=Equality(margin=0.1, value={}, exact=2.0, along=("depth",)),
            margin_reason="that of LW1, 5 %, of a ratio of 2",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_MAE, "target": "lambda_speed", "depth": (2, 3)},
            control=Control(
                reason="modes that differ in rho and not in lambda are no factor of "
                "two apart",
                where=_BIAS,
            ),
            standing="theorem",
            place="mode equations: lambda is the unit of time",
            refuted_by="a ratio of times other than that of the covariances",
        ),
        "LW2": Prediction(
            claim="JEPA with two layers or more learns small rho a tenth or more later "
            "than large rho at equal lambda",
            form=Contrast(margin=0.1, treatment={}, baseline=1.0),
            margin_reason="about half of what gradient flow says: 0.22 with two layers "
            "(0.49 with three)",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_JEPA, **_BIAS, "depth": (2, 3)},
            control=_PIXELS,
            standing="derived",
            place="critical time of JEPA",
            refuted_by="small rho first, or no difference",
            version=2,
            each=("depth",),
        ),
        "LW2-shallow": Prediction(
            claim="JEPA with one layer has no such delay, to 5 %",
            form=Equality(margin=0.05, value={}, exact=1.0),
            margin_reason="half of the margin of LW2; the delay is of the order of "
            "log(start) alone, and gradient flow says 1.008",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_JEPA, **_BIAS, "depth": 1},
            control=Control(
                reason="three layers have the delay (LW2)", where={"depth": 3}
            ),
            standing="derived",
            place="critical time of JEPA at L = 1",
            refuted_by="a delay of a shallow encoder",
        ),
        "LW3": Prediction(
            claim="the delay of JEPA grows with depth, layer by layer: by a quarter or "
            "more from one to three, at one scale of the initial encoder",
            form=Trend(margin=0.25, factor="depth", levels=(1, 2, 3)),
            margin_reason="about half of what gradient flow says: 1.49 with three "
            "layers, 1.008 with one",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_JEPA, **_BIAS},
            control=_PIXELS,
            standing="derived",
            place="critical time of JEPA, as L grows",
            refuted_by="a delay that is the same at every depth",
        ),
        "LW4-mae": Prediction(
            claim="MAE with three layers learns amplitudes rho^(3/4), to 10 % of the "
            "exponent",
            form=Equality(margin=0.1, value={}, exact=0.75, relative=True),
            margin_reason="a tenth of the exponent; that of the rival is four times as "
            "large",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={
                "objective": "mae",
                "init_scale": _START,
                "target": "exponent",
                "depth": 3,
            },
            control=Control(reason="JEPA has exponent 3", where={"objective": "jepa"}),
            standing="theorem",
            place="fixed point of the mode equation of MAE",
            refuted_by="another exponent",
        ),
        "LW4-jepa": Prediction(
            claim="JEPA with three layers learns amplitudes rho^3, to 10 % of the "
            "exponent",
            form=Equality(margin=0.1, value={}, exact=3.0, relative=True),
            margin_reason="a tenth of the exponent; that of the rival is a fourth of "
            "it",
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where={**_JEPA, "target": "exponent", "depth": 3},
            control=Control(reason="MAE has exponent 3/4", where={"objective": "mae"}),
            standing="theorem",
            place="fixed point of the mode equation of JEPA",
            refuted_by="another exponent",
        ),
    },
    forecasts=(
        Forecast(
            experiment=MODE_DYNAMICS,
            metric=mode_times,
            where=_BIAS,
            score=_rho_bias,
            reason="the delay of small rho, by integrating the mode equation",
        ),
    ),
)
