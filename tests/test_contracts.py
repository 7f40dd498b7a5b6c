"""What holds for every part: a new file is covered by being there."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from mae_bench import predictions
from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.metrics import Direction
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
from mae_bench.predictions.trend import Trend
from mae_bench.records import registry
from mae_bench.records.rows import COLUMNS, matching
from mae_bench.records.schema import TIERS, UsageError
from mae_bench.runs.score import READERS
from mae_bench.theories import Prediction
from mae_bench.verdicts.judge import judge_prediction

SMOKE = TIERS["smoke"]
DATASETS, METHODS, METRICS, EXPERIMENTS, THEORIES = (
    registry.names(room)
    for room in ("datasets", "methods", "metrics", "experiments", "theories")
)
SPLITS = ("train", "val", "test")
VIEWS = {"unmasked", "masked"}
READ_OUT = ("method", "dataset", "metric", "view", "token", "target")


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def world(name: str, seed: int = 0) -> Dataset:
    """A world with its defaults; one that needs files of the user's is exempt."""
    try:
        made: Dataset = registry.load("datasets", name)(stream(seed))
    except UsageError as why:
        pytest.skip(str(why))
    return made


def equal(one: Batch, two: Batch) -> bool:
    pairs = [(one.images, two.images), (one.labels, two.labels)]
    pairs += [(one.latents[level], two.latents[level]) for level in one.latents]
    return all(a is b is None or torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def untouched() -> Iterator[None]:
    """The global generator is as it was."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(torch.random.get_rng_state(), before)


# Worlds.


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_world_gives_what_it_declares(name: str) -> None:
    dataset = world(name)
    batch = dataset.sample(16, stream(1))
    size = dataset.image_size
    assert batch.images.shape == (16, dataset.channels, size, size)
    assert batch.images.dtype == torch.float32
    assert 0.05 < batch.images.std() < 20
    assert tuple(batch.latents) == dataset.levels
    for z in batch.latents.values():
        assert (len(z), z.ndim, z.dtype) == (16, 2, torch.float32)
        assert z.isfinite().all()
    assert (batch.labels is None) == (dataset.num_classes is None)
    if batch.labels is not None:
        assert batch.labels.shape == (16,)
        assert batch.labels.dtype == torch.int64
        assert 0 <= batch.labels.min() <= batch.labels.max() < dataset.num_classes
    assert dataset.version >= 1


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_world_depends_on_its_generators_alone(name: str) -> None:
    one, two = world(name), world(name)
    assert one.fingerprint() == two.fingerprint()
    assert equal(one.sample(8, stream(1)), two.sample(8, stream(1)))
    images = [one.sample(8, stream(seed)).images for seed in (1, 2)]
    assert not torch.equal(*images)
    for split in SPLITS:
        assert equal(one.split(split, 8, stream(3)), two.split(split, 8, stream(3)))


@pytest.mark.parametrize("name", DATASETS)
def test_a_worlds_fingerprint_tells_its_parameters_apart(name: str) -> None:
    # A finite set, or a world without parameters, is the same for every seed.
    parts = [world(name, seed).parameters() for seed in (0, 1)]
    same = all(torch.equal(parts[0][key], parts[1][key]) for key in parts[0])
    prints = [world(name, seed).fingerprint() for seed in (0, 1)]
    assert (prints[0] == prints[1]) == same
    assert all(len(p) == 16 and int(p, 16) >= 0 for p in prints)


def distinct(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


@pytest.mark.parametrize("name", DATASETS)
def test_the_splits_of_a_finite_set_share_no_image_with_each_other_or_training(
    name: str,
) -> None:
    dataset = world(name)
    sizes = (SMOKE.n_train, SMOKE.n_val, SMOKE.n_test)
    train, val, test = (
        dataset.split(split, n, stream(k)).images
        for k, (split, n) in enumerate(zip(SPLITS, sizes, strict=True))
    )
    # A generated world draws; few binary pixels may give one image twice by chance.
    assert not torch.equal(train[:50], val[:50])
    own_splits = type(dataset).split is not Dataset.split
    if own_splits and world(name, 1).fingerprint() == dataset.fingerprint():
        seen = distinct(dataset.sample(2000, stream(9)).images)
        assert not distinct(val) & distinct(test)
        assert not (seen | distinct(train)) & (distinct(val) | distinct(test))


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", DATASETS)
def test_a_redrawn_image_keeps_shape_and_class_and_is_another(name: str) -> None:
    dataset = world(name)
    batch = dataset.sample(32, stream(1))
    again = dataset.redraw(batch, stream(2))
    if again is None:
        return
    assert again.images.shape == batch.images.shape
    assert tuple(again.latents) == tuple(batch.latents)
    assert not torch.equal(again.images, batch.images)
    if batch.labels is not None:
        assert torch.equal(again.labels, batch.labels)


# Methods.


def built(name: str, seed: int = 0) -> tuple[Dataset, Method]:
    dataset = world("gaussian_tree")
    learner = registry.load("methods", name)
    known = registry.settings(learner)
    budget = {k: v for k, v in SMOKE.budget().items() if k in known}
    return dataset, learner(dataset, stream(seed), **budget)


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_features_are_finite_tokens_of_known_names(name: str) -> None:
    dataset, method = built(name)
    batch = dataset.sample(12, stream(1))
    with torch.inference_mode():
        features = method.eval().features(batch)
        alone = method.features(batch.rows(slice(0, 5)))
    assert "mean" in features
    for token, h in features.items():
        assert (h.ndim, len(h)) == (2, 12)
        assert h.isfinite().all()
        # An image's features do not depend on its neighbours in the batch.
        assert torch.allclose(h[:5], alone[token], atol=1e-5)
    assert method.version >= 1


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_built_from_its_generator_alone(name: str) -> None:
    (_, one), (_, two) = built(name), built(name)
    torch.manual_seed(7)
    _, three = built(name)
    for key, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[key])
        assert torch.equal(weight, three.state_dict()[key])


def named_trained(method: Method) -> dict[str, Tensor]:
    return {n: p for n, p in method.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_trains_has_a_finite_loss_that_moves_every_weight(
    name: str,
) -> None:
    dataset, method = built(name)
    batch = dataset.sample(16, stream(1))
    if not method.trains:
        with pytest.raises(TypeError, match="nothing to learn"):
            method.loss(batch, stream(2))
        return
    loss = method.loss(batch, stream(2))
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    for key, weight in named_trained(method).items():
        assert weight.grad is not None, f"{key} has no gradient"
        assert weight.grad.isfinite().all()
        assert weight.grad.abs().max() > 0, f"{key} has a gradient of 0"
    again = method.loss(batch, stream(2))
    assert again.item() == loss.item()


# Their masks have another number of patches at every step, and linear algebra checks.
WAIT = {"r2_mae"}


@pytest.mark.parametrize("name", sorted({*METHODS} - WAIT))
def test_a_step_never_waits_for_a_number(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU computes is not looked at: that would make the CPU wait for it."""
    dataset, method = built(name)
    if not method.trains:
        pytest.skip("nothing to learn")

    def look(*_: object) -> None:
        raise AssertionError("the step looks at a tensor's value")

    for word in ("item", "__bool__", "__int__", "__float__", "__index__", "tolist"):
        monkeypatch.setattr(Tensor, word, look)
    batch = dataset.sample(16, stream(1))
    method.loss(batch, stream(2)).backward()


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_settings_are_scalars_and_complete(name: str) -> None:
    known = registry.settings(registry.load("methods", name))
    for value in known.values():
        assert isinstance(value, str | int | float | bool | None)
    assert {"steps", "batch_size"} <= known.keys()


# Metrics.


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_declares_its_facts(name: str) -> None:
    metric = registry.load("metrics", name)
    assert metric.id == name
    assert metric.direction in get_args(Direction)
    assert metric.reads in READERS
    assert metric.lower < metric.upper
    for value in (metric.best, metric.chance):
        if math.isfinite(value):
            assert metric.lower <= value <= metric.upper
    if metric.direction == "target":
        assert math.isfinite(metric.best)
    assert metric.version >= 1
    assert metric.source
    streams = metric.reads in ("features", "pairs", "reconstruction")
    assert (metric.stream is not None) == streams
    assert metric.__doc__


# Experiments.


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_asks_a_question_and_measures_what_it_draws(name: str) -> None:
    experiment = registry.load("experiments", name)
    assert experiment.question.endswith("?")
    assert experiment.cost
    assert set(experiment.expected) <= set(THEORIES)
    assert all(experiment.expected.values())
    assert {metric.id for metric, _ in experiment.drawn} <= {
        metric.id for metric in experiment.metrics
    }
    assert set(experiment.views) <= VIEWS
    assert not set(experiment.factors) & set(COLUMNS)
    for values in experiment.factors.values():
        assert len(set(values)) == len(values) > 1


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiments_cells_are_complete_and_given_once(name: str) -> None:
    experiment = registry.load("experiments", name)
    cells = list(experiment.cells(SMOKE, 1))
    assert cells
    found = [(cell.key, repr(factors)) for cell, factors in cells]
    assert len(set(found)) == len(found)
    for cell, factors in cells:
        for room, known, given in (
            ("datasets", cell.dataset, cell.dataset_settings),
            ("methods", cell.method, cell.method_settings),
        ):
            part = registry.load(room, known)
            assert given.keys() == registry.settings(part).keys()
        assert factors.keys() == experiment.factors.keys()
        settings = {**cell.dataset_settings, **cell.method_settings}
        for factor, value in factors.items():
            assert value is None or settings[factor] == value
        assert cell.versions == {
            "dataset": registry.load("datasets", cell.dataset).version,
            "method": registry.load("methods", cell.method).version,
        }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_factor_of_an_experiment_varies_something(name: str) -> None:
    experiment = registry.load("experiments", name)
    cells = list(experiment.cells(SMOKE, 1))
    for factor, values in experiment.factors.items():
        assert {factors[factor] for _, factors in cells} >= set(values)


# Theories.

PREDICTIONS = {
    f"{theory}/{number}": (theory, prediction)
    for theory in THEORIES
    for number, prediction in registry.load("theories", theory).predictions.items()
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
    for text in ("claim", "place", "refuted_by"):
        assert getattr(prediction, text)
    assert prediction.standing in ("theorem", "derived", "extrapolation")
    assert prediction.version >= 1
    assert prediction.control.reason
    control = prediction.control
    assert control.where or control.shuffle or control.form
    assert prediction.experiment.id in EXPERIMENTS
    for metric in (prediction.metric, prediction.against or prediction.metric):
        assert metric in prediction.experiment.metrics


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


def grid(prediction: Prediction, seeds: int = 3) -> pd.DataFrame:
    """Rows of the experiment's whole grid, all with a value of 0."""
    metrics = [m.id for m in (prediction.metric, prediction.against) if m]
    read = product(
        metrics,
        named(prediction, "view", ("unmasked",)),
        named(prediction, "token", ("mean",)),
        named(prediction, "target", targets(prediction)),
    )
    labels = [dict(zip(("metric", "view", "token", "target"), r)) for r in read]  # noqa: B905
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "value": 0.0,
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        | label
        for cell, factors in prediction.experiment.cells(SMOKE, seeds)
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
            yield rows.assign(value=offset + size * height + noise)


def verdicts(prediction: Prediction) -> set[str]:
    """What synthetic rows can make of a claim; stops when it has seen both ends."""
    ours = matching(grid(prediction), prediction.where).reset_index(drop=True)
    found: set[str] = set()
    for rows in drawn(prediction, ours):
        found.add(prediction.form.decide(prediction.form.effects(rows)))
        if found >= {"supported", "refuted"}:
            break
    return found


@pytest.mark.parametrize("key", PREDICTIONS)
def test_a_prediction_can_be_supported_and_can_be_refuted(key: str) -> None:
    theory, prediction = PREDICTIONS[key]
    assert verdicts(prediction) >= {"supported", "refuted"}
    # Its filters and its control name columns and experiments that there are.
    rows = {prediction.experiment.id: grid(prediction)}
    verdict = judge_prediction(key, theory, prediction, rows)
    assert verdict.verdict != "not_measured"


LOW, HIGH = {"mask_ratio": 0.1}, {"mask_ratio": 0.9}
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
    "ordering": Ordering(0.1, "mask_ratio", (0.5, 0.1, 0.9)),
    "peak": Peak(0.1, "mask_ratio"),
    "trend": Trend(0.1, "mask_ratio", "decreasing"),
    "valley": Peak(0.1, "mask_ratio", minimum=True),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_synthetic_rows_reach_both_ends_of_every_form(name: str) -> None:
    prediction = replace(PREDICTIONS["visible_share/N1"][1], form=FORMS[name])
    plain = {k: v for k, v in prediction.where.items() if k != "target"}
    assert verdicts(replace(prediction, where=plain)) >= {"supported", "refuted"}


def test_every_form_is_among_them() -> None:
    room = Path(predictions.__file__).parent
    forms = {path.stem for path in room.glob("*.py")} - {"__init__"}
    assert {type(form).__name__.lower() for form in FORMS.values()} == forms


@pytest.mark.parametrize("name", THEORIES)
def test_a_forecast_orders_the_grid_of_some_world_and_is_no_constant(name: str) -> None:
    forecast = registry.load("theories", name).forecast
    if forecast is None:
        return
    worlds: dict[str, set[float | None]] = {}
    for cell, factors in forecast.experiment.cells(SMOKE, 1):
        known = {"dataset": cell.dataset, "method": cell.method, **factors}
        if all(known.get(k, v) == v for k, v in forecast.where.items()):
            score = forecast.score({"dataset": cell.dataset, **factors})
            worlds.setdefault(cell.dataset, set()).add(score)
    assert max(len(scores - {None}) for scores in worlds.values()) > 1
    said = [score for scores in worlds.values() for score in scores - {None}]
    assert all(math.isfinite(score) for score in said)
    assert forecast.reason
    assert forecast.metric in forecast.experiment.metrics
