"""The verb that chooses learning rates, from trials to the table."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mae_bench.experiments import _chosen
from mae_bench.experiments._chosen import COLUMNS

Call = Callable[..., Result]
TRIALS = "--tier smoke --experiment learning_rates --dataset random_hierarchy --seeds 1"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    monkeypatch.setattr(_chosen, "TABLE", path)
    return path


def test_trials_are_measured_chosen_from_and_written_if_asked(
    call: Call, table: Path
) -> None:
    words = [*TRIALS.split(), "--method", "mae", "--method", "simsiam", "--jobs", "0"]
    assert call("measure", *words).exit_code == 0
    before = table.read_bytes()
    shown = call("tune", "--tier", "smoke")
    assert (shown.exit_code, table.read_bytes()) == (0, before)
    assert "wrote nothing" in shown.stderr
    assert "random_hierarchy" in shown.stdout
    said = call("tune", "--tier", "smoke", "--write", "--json")
    assert said.exit_code == 0, said.output
    rows = {row["method"]: row for row in json.loads(said.stdout)}
    assert [rows[m]["rule"] for m in ("mae", "simsiam")] == ["loss", "rank"]
    assert {row["trials"] for row in rows.values()} == {4}
    assert rows["mae"]["steps_at_equal_cost"] == 12
    assert rows["simsiam"]["steps_at_equal_cost"] < 12
    assert len(table.read_text().splitlines()) == 3


def test_without_trials_it_says_what_to_measure(call: Call) -> None:
    result = call("tune", "--tier", "smoke")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "run mae-bench measure first" in line
