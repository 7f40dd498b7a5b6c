"""A cell, the rows of its metrics, and features that are not what they were."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.methods import Method
from mae_bench.methods.random_init import RandomInit
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting
from mae_bench.runs.score import score
from mae_bench.runs.specimen import Specimen
from mae_bench.training.train import build

Rows = list[dict[str, Any]]


@pytest.fixture
def cell_of() -> Callable[..., Cell]:
    """The smoke cell of a method in a world, with some settings changed."""

    def make(method: str, dataset: str = "gaussian_tree", **changed: Setting) -> Cell:
        world = registry.load("datasets", dataset)
        learner = registry.load("methods", method)
        known = registry.settings(learner)
        budget = TIERS["smoke"].budget() | changed
        return Cell(
            dataset=dataset,
            method=method,
            tier="smoke",
            seed=0,
            dataset_settings=registry.settings(world),
            method_settings=known | {k: v for k, v in budget.items() if k in known},
            versions={"dataset": world.version, "method": learner.version},
        )

    return make


@pytest.fixture
def rows_of() -> Callable[..., Rows]:
    """Rows of some metrics and views of a cell, by its untrained method or another."""

    def make(
        cell: Cell, *wanted: tuple[str, str], method: Method | None = None
    ) -> Rows:
        dataset, built = build(cell, "cpu")
        found = score(cell, dataset, (method or built).eval(), wanted, "cpu")
        return [row for rows in found.values() for row in rows]

    return make


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Features of the untrained encoder become some function of them."""
    honest = RandomInit.features

    def patch(answer: Callable[[Tensor], Tensor]) -> None:
        def features(self: RandomInit, batch: Batch, ids_keep: Any = None) -> Any:
            return {t: answer(h) for t, h in honest(self, batch, ids_keep).items()}

        monkeypatch.setattr(RandomInit, "features", features)

    return patch


@pytest.fixture
def specimen(cell_of) -> Callable[..., Specimen]:
    def make(method: str = "mae", view: str = "unmasked") -> Specimen:
        cell = cell_of(method)
        dataset, built = build(cell, "cpu")
        return Specimen(cell, dataset, built.eval(), view, "cpu")

    return make
