"""What holds for every theory and prediction: a new file is covered by being there."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mae_bench import predictions
from mae_bench.metrics import WITHOUT_VIEW
from mae_bench.metrics.convergence import convergence
from mae_bench.predictions import Form
from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.slope import Slope
from mae_bench.predictions.trend import Trend
from mae_bench.records import registry
from mae_bench.records.rows import matching
from mae_bench.records.schema import TIERS
from mae_bench.theories import Prediction
from mae_bench.verdicts.judge import judge_prediction

SMOKE = TIERS["smoke"]
EXPERIMENTS, THEORIES = (registry.names(room) for room in ("experiments", "theories"))
Cells = Callable[[str, str, int], list[tuple[Any, Any, dict[str, Any]]]]
READ_OUT = ("method", "dataset", "metric", "view", "token", "target")
PREDICTIONS = {
    f"{theory}/{number}": (theory, prediction)
    for theory in THEORIES
    for number, prediction in registry.load("theories", theory).predictions.items()
    # A planted null is a real claim again, and its rows can never support it.
    if not prediction.planted
}


@pytest.mark.parametrize("name", THEORIES)
def test_a_theory_says_whose_it_is_and_what_it_expects(name: str) -> None:
    theory = registry.load("theories", name)
    assert theory.paper
    assert len(theory.summary.split(". ")) >= 3
    assert theory.assumptions
    assert theory.predictions or theory.unmeasured
    assert not theory.unmeasured.keys() & theory.predictions.keys()
    assert all(theory.unmeasured.values())


@pytest.mark.parametrize("key", PREDICTIONS)
def test_a_prediction_says_what_would_refute_it_and_where_it_must_fail(
    key: str,
) -> None:
    _, prediction = PREDICTIONS[key]
    # A bound or an equality may have a margin of 0, and then says so in its claim.
    assert prediction.form.margin > 0 or "margin" in prediction.claim
    for text in ("claim", "place", "refuted_by", "margin_reason"):
        assert getattr(prediction, text)
    assert prediction.standing in ("theorem", "derived", "extrapolation")
    assert prediction.version >= 1
    # With a reason alone it says why there is no place in which the claim must fail.
    assert prediction.control.reason
    assert prediction.experiment.id in EXPERIMENTS
    for metric in (prediction.metric, prediction.against or prediction.metric):
        assert metric in prediction.experiment.metrics
    # What speaks of optima is heard where its cells say whether they are at rest.
    assert convergence in prediction.experiment.metrics or not prediction.converged


def sees(prediction: Prediction) -> bool:
    """Whether what is shown to the encoder makes a difference to what is looked at."""
    metrics = [m for m in (prediction.metric, prediction.against) if m]
    shown = any(metric.reads not in WITHOUT_VIEW for metric in metrics)
    return shown and len(prediction.experiment.views) > 1


@pytest.mark.parametrize("key", PREDICTIONS)
def test_where_an_experiment_has_two_views_a_prediction_names_its_own(
    key: str,
) -> None:
    _, prediction = PREDICTIONS[key]
    if sees(prediction):
        assert prediction.where.get("view") in prediction.experiment.views
    else:
        assert prediction.where.get("view", "unmasked") == "unmasked"


def test_there_are_predictions_of_either_view() -> None:
    said = {p.where.get("view") for _, p in PREDICTIONS.values() if sees(p)}
    assert said == {"masked", "unmasked"}


def parts(form: Form) -> dict[str, Any]:
    """The fields of a form; an equivalence's are those of what it denies."""
    return vars(form.form) if isinstance(form, Equivalence) else vars(form)


def sides(form: Form) -> list[dict[str, Any]]:
    """The row filters that a form compares."""
    return [dict(v) for v in parts(form).values() if isinstance(v, dict)]


def named(prediction: Prediction, column: str, default: tuple[str, ...]) -> list[str]:
    """The entries of a column that a claim speaks of, in its filters or its form's."""
    filters = [dict(prediction.where), *sides(prediction.form)]
    found = [w[column] for w in filters if column in w]
    flat = {v for n in found for v in (n if isinstance(n, tuple) else (n,))}
    return sorted(map(str, flat)) or list(default)


def targets(prediction: Prediction) -> tuple[str, ...]:
    """Targets for a claim that names none."""
    if isinstance(prediction.form, Membership):
        return ("inside/a", "inside/b", "outside/a", "outside/b")
    return ("a", "b") if isinstance(prediction.form, Nearer) else ("",)


@pytest.mark.parametrize("key", PREDICTIONS)
def test_a_claim_on_a_probe_of_labels_says_of_which_token(key: str) -> None:
    # Its chance and the commonest class stand under other tokens, and are no evidence.
    _, prediction = PREDICTIONS[key]
    metrics = {m.id for m in (prediction.metric, prediction.against) if m}
    if metrics & {"linear_probe", "knn_probe"}:
        tokens = named(prediction, "token", ())
        assert tokens
        assert not [token for token in tokens if token.endswith("/shuffled")]


def grid(prediction: Prediction, cells: Cells) -> pd.DataFrame:
    """Rows of the experiment's whole grid, all with a value of 0."""
    metrics = [m.id for m in (prediction.metric, prediction.against) if m]
    read = product(
        metrics,
        named(prediction, "view", ("unmasked",)),
        named(prediction, "token", ("mean",)),
        named(prediction, "target", targets(prediction)),
    )
    labels = [dict(zip(("metric", "view", "token", "target"), r)) for r in read]  # noqa: B905
    rows = [
        known | label | {"value": 0.0}
        for _, _, known in cells(prediction.experiment.id, "smoke", 6)
        for label in labels
    ]
    return pd.DataFrame(rows)


def ordered(form: Form, axis: str, rows: pd.DataFrame) -> list[Any]:
    """Levels of an axis, in the form's order if it has one."""
    own = parts(form)
    if own.get("factor") == axis and own.get("levels"):
        return list(own["levels"])
    found = rows[axis].dropna().unique()
    return sorted(found, key=lambda level: (isinstance(level, str), level))


def shapes(n: int) -> Iterator[np.ndarray]:
    """Flat, a ramp, a peak, and each level alone; all of them upside down as well."""
    yield np.zeros(n)
    inside = np.ones(n)
    inside[[0, -1]] = 0
    for shape in (np.linspace(0, 1, n), inside, *np.eye(n)):
        yield shape
        yield -shape


def heights(prediction: Prediction, rows: pd.DataFrame) -> Iterator[np.ndarray]:
    """Pictures of the rows that a claim speaks of: along each axis, between sides."""
    form, own = prediction.form, parts(prediction.form)
    for axis in (*prediction.experiment.factors, *READ_OUT):
        levels = ordered(form, axis, rows)
        if len(levels) > 1:
            index = rows[axis].map({level: i for i, level in enumerate(levels)})
            for shape in shapes(len(levels)):
                yield np.append(shape, 0.0)[index.fillna(-1).astype(int)]
    if isinstance(form, Slope):
        places = rows[form.factor].map(dict(form.at)).fillna(0.0).to_numpy(float)
        yield form.exponent * places
        yield -form.exponent * places
    points = np.zeros(len(rows))
    if own.get("along"):
        points = rows.groupby(list(own["along"]), dropna=False).ngroup().to_numpy(float)
    for side in sides(form):
        mine = rows.index.isin(matching(rows, side).index)
        for sign in (1.0, -1.0):
            yield sign * mine
            yield np.where(mine, sign, 1.0) * (1 + points)
        # Neither with the other nor against it.
        yield np.where(mine, points, points % 2)


def drawn(prediction: Prediction, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows with values: pictures of several sizes at several heights."""
    form = prediction.form
    noise = np.random.default_rng(0).standard_normal(len(rows))
    noise *= min(1e-4, max(form.margin, 1e-7) / 100)
    known = [v for v in vars(form).values() if type(v) in (int, float)]
    offsets = (*known, 0.0, 0.5, 1.0, -1.0, 10.0)
    for size, offset in product((1.0, 10.0, 100.0), offsets):
        for height in heights(prediction, rows):
            # An order of what is equal is nought, of noise it is none.
            for loud in (1.0, 0.0):
                yield rows.assign(value=offset + size * height + loud * noise)


def verdicts(prediction: Prediction, whole: pd.DataFrame) -> set[str]:
    """What synthetic rows can make of a claim; stops when it has seen both ends."""
    ours = matching(whole, prediction.where).reset_index(drop=True)
    found: set[str] = set()
    for rows in drawn(prediction, ours):
        found.add(prediction.form.decide(prediction.form.effects(rows)))
        if found >= {"supported", "refuted"}:
            break
    return found


@pytest.mark.parametrize("key", PREDICTIONS)
def test_a_prediction_can_be_supported_and_can_be_refuted(
    key: str, cells: Cells
) -> None:
    theory, prediction = PREDICTIONS[key]
    whole = grid(prediction, cells)
    assert verdicts(prediction, whole) >= {"supported", "refuted"}
    # Its filters and its control name columns and experiments that there are.
    rows = {prediction.experiment.id: whole}
    verdict = judge_prediction(key, theory, prediction, rows)
    assert verdict.verdict != "not_measured"


LOW, HIGH = {"mask_ratio": 0.125}, {"mask_ratio": 0.9375}
TOP, BOTTOM = ({"target": level} for level in ("level_0", "level_3"))
FORMS: dict[str, Form] = {
    "association": Association(0.5, x=TOP, y=BOTTOM, along=("mask_ratio",)),
    "bound": Bound(1e-6, value=TOP, limit=BOTTOM, along=("mask_ratio",)),
    "bound by a constant": Bound(0.0, TOP, 3.0, along=("mask_ratio",), sign=-1),
    "contrast": Contrast(0.1, HIGH, LOW),
    "equality": Equality(1e-6, TOP, BOTTOM, relative=True),
    "equality with a constant": Equality(0.01, TOP, 0.25),
    "membership": Membership(0.9),
    "nearer": Nearer(0.1, "mask_ratio", level=0.5, near=0.75, far=0.25),
    "no contrast": Equivalence(0.1, Contrast(0.1, HIGH, LOW)),
    "no trend": Equivalence(0.1, Trend(0.1, "mask_ratio")),
    "ordering": Ordering(0.1, "mask_ratio", (0.5, 0.125, 0.9375)),
    "peak": Peak(0.1, "mask_ratio"),
    "slope": Slope(0.1, 3.0, "mask_ratio", ((0.125, 0.0), (0.5, 2.0), (0.9375, 3.0))),
    "trend": Trend(0.1, "mask_ratio", "decreasing"),
    "valley": Peak(0.1, "mask_ratio", minimum=True),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_synthetic_rows_reach_both_ends_of_every_form(
    name: str, cells: Cells
) -> None:
    prediction = replace(PREDICTIONS["visible_share/N1"][1], form=FORMS[name])
    plain = {k: v for k, v in prediction.where.items() if k != "target"}
    prediction = replace(prediction, where=plain)
    found = verdicts(prediction, grid(prediction, cells))
    assert found >= {"supported", "refuted"}


def test_every_form_is_among_them() -> None:
    room = Path(predictions.__file__).parent
    forms = {path.stem for path in room.glob("[!_]*.py")}
    assert {type(form).__name__.lower() for form in FORMS.values()} == forms


FORECASTS = {
    f"{name}: {forecast.experiment.id}": forecast
    for name in THEORIES
    for forecast in registry.load("theories", name).forecasts
}


@pytest.mark.parametrize("key", FORECASTS)
def test_a_forecast_orders_the_grid_of_some_world_and_is_no_constant(key: str) -> None:
    forecast = FORECASTS[key]
    worlds: dict[str, set[float | None]] = {}
    for cell, factors in forecast.experiment.cells(SMOKE, range(1)):
        known = {"dataset": cell.dataset, "method": cell.method, **factors}
        if all(known.get(k, v) == v for k, v in forecast.where.items()):
            score = forecast.score({"dataset": cell.dataset, **factors})
            worlds.setdefault(cell.dataset, set()).add(score)
    assert max(len(scores - {None}) for scores in worlds.values()) > 1
    said = [score for scores in worlds.values() for score in scores - {None}]
    assert all(math.isfinite(score) for score in said)
    assert forecast.reason
    views = forecast.experiment.views
    assert forecast.where.get("view", views[0] if len(views) == 1 else "") in views
    assert forecast.metric in forecast.experiment.metrics


@pytest.mark.parametrize("name", THEORIES)
def test_a_theory_forecasts_an_experiment_once(name: str) -> None:
    theory = registry.load("theories", name)
    grids = [forecast.experiment.id for forecast in theory.forecasts]
    assert len(set(grids)) == len(grids)
    assert theory.forecast is (theory.forecasts[0] if grids else None)
