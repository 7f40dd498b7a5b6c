"""The cells of a claim: its own, its control's, its ceiling's, and no others."""

from dataclasses import replace

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.records.schema import TIERS
from mae_bench.theories import Prediction
from mae_bench.verdicts.cells import cells_of

CLAIM = Prediction(
    claim="More is kept at a half.",
    form=Contrast(0.1, {"mask_ratio": 0.5}, {"mask_ratio": 0.75}),
    experiment=MASK_RATIO,
    metric=linear_r2,
    where={"dataset": "gaussian_tree", "mask_ratio": (0.5, 0.75), "token": "mean"},
    control=Control("spins have no structure", where={"dataset": "ising"}),
    standing="derived",
    place="",
    refuted_by="",
)


def points(claim: Prediction) -> set[tuple[object, ...]]:
    cells = cells_of(claim, TIERS["quick"], range(1))
    return {(cell.dataset, at["mask_ratio"]) for cell, at in cells}


def test_a_claim_asks_for_its_own_cells_and_its_controls() -> None:
    worlds = ("gaussian_tree", "ising")
    assert points(CLAIM) == {(w, r) for w in worlds for r in (0.5, 0.75)}
    alone = replace(CLAIM, control=Control("other levels", where={"target": "level_2"}))
    assert points(alone) == {("gaussian_tree", r) for r in (0.5, 0.75)}


def test_a_ceiling_is_asked_for_where_it_is_measured() -> None:
    claim = replace(CLAIM, ceiling={"mask_ratio": 0.25})
    assert points(claim) == points(CLAIM) | {("gaussian_tree", 0.25)}


def test_each_seed_has_its_own() -> None:
    cells = [cell for cell, _ in cells_of(CLAIM, TIERS["quick"], range(5, 8))]
    assert len({cell.key for cell in cells}) == len(cells) == 12
    assert {cell.seed for cell in cells} == {5, 6, 7}
