"""Round after round until it is decided, has had its seeds, or the time is over."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from mae_bench.commands import pursuit as verb
from mae_bench.commands.pursuit import END, Pursuit
from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.records.read import read_rows
from mae_bench.records.schema import FULL_PRECISION
from mae_bench.records.store import Store
from mae_bench.runs.costs import Costs
from mae_bench.theories import Theory
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.verdicts.needs import Needs

KEY = "hierarchical_latents/K-D2"
CLAIM = HIERARCHICAL_LATENTS.predictions["K-D2"]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told."""
    found: list[str] = []
    monkeypatch.setattr(verb, "tell", lambda line, *_: found.append(line))
    return found


def pursue(folder: Path, **changes: object) -> Pursuit:
    """One derived claim, of oracles alone, in this process."""
    theory = Theory("", "", (), {"K-D2": CLAIM})
    given = {
        "theories": {"hierarchical_latents": theory},
        "experiments": {"symmetry": SYMMETRY},
        "first_seeds": {KEY: 5},
        "max_seeds": 6,
        "lacking": Needs("smoke", FULL_PRECISION),
        "store": Store(folder / "store"),
        "results": folder / "results",
        "devices": [],
        "cost": Costs({("symmetry", "gaussian_tree", "mae", "smoke", ""): 1.0}),
        "end": time.monotonic() + 1000.0,
    }
    return Pursuit(**(given | changes))  # type: ignore[arg-type]


def seeds(folder: Path) -> set[int]:
    rows = read_rows(folder / "results" / "measurements" / "symmetry.csv")
    return set(rows.loc[rows["status"] != "missing", "seed"])


def test_it_ends_as_soon_as_all_is_decided(tmp_path: Path, lines: list[str]) -> None:
    # A planted null is judged along, and asks for no cells.
    null = replace(CLAIM, planted="shifted")
    theory = Theory("", "", (), {"K-D2": CLAIM, "null": null})
    theories = {"hierarchical_latents": theory}
    run = pursue(tmp_path, theories=theories, max_seeds=20).run()
    assert not any("null" in line for line in lines)
    ran = seeds(tmp_path)
    assert ran == set(range(5, 5 + len(ran)))
    assert 4 <= len(ran) < 20
    assert lines[0].startswith("1 of 1 predictions are open; 20 seeds of each are at")
    assert f"{KEY} supported" in " ".join(lines)
    assert lines[-1] == "nothing is open any more"
    rounds = [line for line in lines if line.startswith("round")]
    assert len(rounds) == len(ran)
    assert rounds[0].endswith("cells of seed 5")
    assert {cell.seed for cell in (t.cell for t in run.plan.tasks.values())} == ran


def test_it_ends_when_the_seeds_do(tmp_path: Path, lines: list[str]) -> None:
    pursue(tmp_path, max_seeds=2).run()
    assert seeds(tmp_path) == {5, 6}
    assert lines[-1] == "2 seeds were run: 1 are open (1 undecided)"
    pursue(tmp_path, max_seeds=3).run()
    assert seeds(tmp_path) == {5, 6, 7}, "what is there is not run again"


def test_it_ends_when_the_time_does(tmp_path: Path, lines: list[str]) -> None:
    pursue(tmp_path, end=time.monotonic() + END).run()
    assert lines[-1] == "the budget is spent: 1 are open (1 not_measured)"
    assert lines[1].startswith("the budget ends it in 0:")


def test_a_cell_that_is_lost_is_not_tried_for_ever(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise OSError("no more")

    monkeypatch.setattr("mae_bench.training.parallel.train_over", lose)
    pursue(tmp_path, max_seeds=2).run()
    assert lines[-1].startswith("2 seeds were run: 1 are open")


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("reason", "again"), [("ran over 60 s", True), ("no such axis", False)]
)
def test_a_cell_that_failed_before_is_tried_again_or_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    *,
    again: bool,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(reason)

    train = "mae_bench.training.parallel.train_over"
    with monkeypatch.context() as patch:
        patch.setattr(train, fail)
        assert pursue(tmp_path, max_seeds=1).run().failures()
    run = pursue(tmp_path, max_seeds=1).run()
    found = read_rows(tmp_path / "results" / "measurements" / "symmetry.csv")
    assert (set(found["status"]) <= {"ok", "skipped"}) is again
    assert bool(run.failures()) is not again


@pytest.mark.parametrize(
    "words",
    [
        ("--method", "mae"),
        ("--dataset", "digits"),
        ("--seeds", "3"),
        ("--rerun", "failed"),
    ],
)
def test_filters_that_would_leave_a_claim_without_its_cells_are_refused(
    call: Callable[..., Result], words: tuple[str, str]
) -> None:
    ended = call("measure", "--until", "decided", *words)
    assert ended.exit_code == 2
    assert f"leave out {words[0]}" in ended.stderr


def test_the_command_says_what_it_will_cost_and_what_it_decided(
    call: Callable[..., Result],
) -> None:
    words = ("measure", "--until", "decided", "--max-seeds", "4", "--tier", "smoke")
    ended = call(*words, "--experiment", "linear_noise", "--jobs", "0")
    assert ended.exit_code == 0, ended.stderr
    assert "predictions are open; 4 seeds of each are at most" in ended.stderr
    rows = pd.read_csv("my_results/smoke/measurements/linear_noise.csv")
    assert set(rows["seed"]) == {0, 1, 2, 3}, "nothing is registered here"
