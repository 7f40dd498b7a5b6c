"""Dong, Wang & Kluger 2025: masks help models of more parameters than samples."""

from collections.abc import Mapping
from typing import Any

from mae_bench.datasets.spiked_field import SpikedField
from mae_bench.experiments.masked_regression import MASKED_REGRESSION
from mae_bench.metrics.masked_risk import masked_risk
from mae_bench.oracles.masked_regression import excess_risk
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.records.registry import settings
from mae_bench.theories import Forecast, Prediction, Theory

_RATIOS = (0.0, 0.15, 0.3, 0.45, 0.6)
_RISK = {"target": "risk"}
_SMALL = {"image_size": 6, "spike": 20.0}
_MIDDLE = {"image_size": 20, "spike": 20.0}
_LARGE = {"image_size": 32, "spike": 20.0}


def _risk(point: Mapping[str, Any]) -> float:
    """The limit of the risk."""
    fixed: dict[str, Any] = {**settings(SpikedField), **MASKED_REGRESSION.settings}
    return excess_risk(
        point["mask_ratio"],
        point["image_size"] ** 2 - 1,
        fixed["samples"],
        spike=point["spike"],
        noise=fixed["target_noise"],
    )


OVER_PARAMETERISATION = Theory(
    paper="Dong, Wang & Kluger, NeurIPS 2025, arXiv 2509.21650",
    summary=(
        "To reconstruct a masked feature is modelled by ridgeless regression, the "
        "least-squares solution of least norm, on covariates that are zeroed at "
        "random. Its test risk is followed by random-matrix theory. With fewer "
        "covariates than samples masks only add noise, and the risk rises with the "
        "mask ratio. With more, least norm shrinks a spike's coefficient and masks "
        "expand it, so the best ratio is inside the range. It grows with the size of "
        "the model, hence large models want large mask ratios."
    ),
    assumptions=(
        "linear regression of least norm on Gaussian covariates",
        "masks act on the training covariates alone, without rescaling (reading "
        "taken: the risk is that of whole covariates)",
        "the signal is along the spike",
    ),
    predictions={
        "M1": Prediction(
            claim="with isotropic covariates, fewer than samples, every step of the "
            "mask ratio raises the risk by a twentieth of the signal or more",
            form=Ordering(margin=0.05, factor="mask_ratio", levels=_RATIOS),
            margin_reason="under half of the limit's smallest step, 0.119",
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where={"image_size": 6, "spike": 0.0, **_RISK},
            control=Control(
                reason="with a spike and ten covariates a sample the risk falls first",
                where=_LARGE,
            ),
            standing="derived",
            place="isotropic model",
            refuted_by="an under-parameterised model that gains from masks",
        ),
        "M1-limit": Prediction(
            claim="the risk is that of the random-matrix limit, to 15 %, at every "
            "size, spike and mask ratio",
            form=Equality(
                margin=0.15,
                value={},
                exact=0.0,
                along=("image_size", "spike", "mask_ratio"),
            ),
            margin_reason="of 100 samples the limit's own error is some 1 / sqrt(100), "
            "10 %; half as much again",
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where={"target": "gap"},
            control=Control(
                reason="the limit without masks is not the risk with them",
                where={"target": "gap_unmasked"},
            ),
            standing="derived",
            place="abstract: the behaviour is that of the risk of ridgeless regression",
            refuted_by="a risk that the limit does not give",
        ),
        "M2": Prediction(
            claim="with a spike and ten covariates a sample the risk is least at a "
            "mask ratio inside the range, by a fiftieth of the signal or more",
            form=Peak(margin=0.02, factor="mask_ratio", minimum=True),
            margin_reason="under half of what the limit says: 0.130 at 0, 0.082 at "
            "0.3, 0.171 at 0.6",
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where={**_LARGE, **_RISK},
            control=Control(
                reason="without a spike masks have nothing to expand: the limit rises",
                where={"spike": 0.0},
            ),
            standing="derived",
            place="spiked model",
            refuted_by="a risk that is least without masks",
        ),
        "M3": Prediction(
            claim="masks help only beyond interpolation: with the same spike and "
            "fewer covariates than samples every step of the mask ratio raises the "
            "risk by a fiftieth of the signal or more",
            form=Ordering(margin=0.02, factor="mask_ratio", levels=_RATIOS),
            margin_reason="under half of the limit's smallest step, 0.045",
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where={**_SMALL, **_RISK},
            control=Control(
                reason="with ten covariates a sample masks help (M2)", where=_LARGE
            ),
            standing="derived",
            place="role of over-parameterisation",
            refuted_by="a risk that falls with the ratio in the small model",
        ),
        "M3-size": Prediction(
            claim="the best mask ratio grows with the model: 0.3 is better than 0.15 "
            "with ten covariates a sample, and worse with four",
            form=Contrast(
                margin=0.005,
                treatment={"mask_ratio": 0.3},
                baseline={"mask_ratio": 0.15},
                sign=-1,
            ),
            margin_reason="under a third of what the limit says: -0.018 with ten "
            "covariates a sample, 0.058 with four",
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where={**_LARGE, **_RISK},
            control=Control(
                reason="with four covariates a sample the best ratio is below 0.15",
                where=_MIDDLE,
            ),
            standing="derived",
            place="the optimal mask ratio depends on model size",
            refuted_by="a best ratio that does not depend on size",
        ),
    },
    forecasts=(
        Forecast(
            experiment=MASKED_REGRESSION,
            metric=masked_risk,
            where=_RISK,
            score=_risk,
            reason="the random-matrix limit of the risk",
        ),
    ),
    unmeasured={
        "M1-over": "an interior optimum with isotropic covariates is ascribed to the "
        "paper as well, where they outnumber the samples; in the reading taken here "
        "the exact mean risk rises with the ratio at every size, as the control of M2 "
        "shows, and the paper's own words on it could not be compared",
        "M2-alignment": "the signal is along the spike in every world here",
        "M4": "ratios drawn at random against the best fixed one: the best one would "
        "be chosen by the risk that is judged, and the range of the draw is free",
    },
)
