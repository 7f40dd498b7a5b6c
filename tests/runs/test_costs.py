"""What cells like one took, the likest first."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.records.schema import TIERS, Cell
from mae_bench.runs.costs import costs, published, time_limit

ROOT = Path(__file__).parent.parent.parent
((CELL, AT), *_) = SYMMETRY.cells(TIERS["quick"], range(1))


def row(seconds: float, seed: int = 0, **changes: object) -> dict[str, object]:
    point = {"dataset": CELL.dataset, "method": CELL.method, "tier": CELL.tier}
    name = f"{seed}{changes}"
    row = {"experiment": "symmetry", "cell": name, "status": "ok", **point, **AT}
    return row | {"train_seconds": seconds} | changes


def cost(*rows: dict[str, object], cell: Cell = CELL) -> float:
    return costs({"symmetry": pd.DataFrame(list(rows))})("symmetry", cell, AT)


def test_the_median_over_seeds_of_the_same_point_is_what_it_costs() -> None:
    seeds = [row(s, seed) for seed, s in enumerate((8.0, 9.0, 30.0))]
    assert cost(*seeds, row(99.0, mask_ratio=0.75)) == 9.0
    assert cost(*seeds, row(99.0, 7, status="diverged")) == 9.0


def test_an_unknown_point_costs_what_others_of_its_method_do() -> None:
    assert cost(row(5.0, mask_ratio=0.75), row(7.0, 1, mask_ratio=0.75)) == 6.0


def test_of_what_nothing_is_known_a_share_of_the_limit_is_reckoned() -> None:
    assert cost(row(5.0, method="simclr")) == time_limit(CELL) / 6
    assert costs({})("symmetry", CELL, AT) == time_limit(CELL) / 6


def test_ones_own_rows_are_believed_before_others() -> None:
    own, published = (pd.DataFrame([row(s)]) for s in (3.0, 4.0))
    both = costs({"symmetry": own}, {"symmetry": published})
    assert both("symmetry", CELL, AT) == 3.0
    other = pd.DataFrame([row(4.0, mask_ratio=0.75)])
    assert costs({"symmetry": other}, {"symmetry": own})("symmetry", CELL, AT) == 3.0


def test_what_is_unknown_is_none() -> None:
    known = costs({"symmetry": pd.DataFrame([row(5.0, method="simclr")])})
    assert known.of("symmetry", CELL, AT) is None
    assert costs({"symmetry": pd.DataFrame([row(5.0)])}).of("symmetry", CELL, AT) == 5.0


def test_published_rows_are_of_one_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "results", tmp_path / "results", ignore=all_but("symmetry"))
    monkeypatch.chdir(tmp_path)
    assert [*published(["symmetry", "uniformity"], "quick")] == ["symmetry"]
    assert published(["symmetry"], "smoke") == {}


def all_but(name: str) -> Callable[[str, list[str]], list[str]]:
    def ignored(_: str, found: list[str]) -> list[str]:
        return [f for f in found if f not in ("measurements", f"{name}.csv")]

    return ignored


def test_a_cell_of_more_steps_has_more_time_and_one_of_fewer_no_less() -> None:
    tier = TIERS["quick"]

    def limit(steps: int) -> float:
        settings = {**CELL.method_settings, "steps": steps}
        return time_limit(replace(CELL, method_settings=settings))

    assert limit(tier.steps) == limit(12) == tier.time_limit
    assert limit(12 * tier.steps) == 12 * tier.time_limit
    assert time_limit(replace(CELL, method_settings={})) == tier.time_limit
