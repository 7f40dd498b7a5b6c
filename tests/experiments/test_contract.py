"""What holds for every experiment: a new file is covered by being there."""

import pytest

from mae_bench.records import registry
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS

SMOKE = TIERS["smoke"]
EXPERIMENTS = registry.names("experiments")
VIEWS = {"unmasked", "masked"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_asks_a_question_and_measures_what_it_draws(name: str) -> None:
    experiment = registry.load("experiments", name)
    assert experiment.question.endswith("?")
    assert experiment.cost
    assert set(experiment.expected) <= set(registry.names("theories"))
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
    cells = list(experiment.cells(SMOKE, range(1)))
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
    cells = list(experiment.cells(SMOKE, range(1)))
    for factor, values in experiment.factors.items():
        assert {factors[factor] for _, factors in cells} >= set(values)
