"""Folders that are honest, forged, and of another house, judged by running again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import Result

from mae_bench.runs.anew import draw

Call = Callable[..., Result]
NAME = "variance_subspaces"
FILE = Path("r", "measurements", f"{NAME}.csv")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of cells that take a moment."""
    from mae_bench.commands.verbs import measure

    folder = tmp_path_factory.mktemp("honest")
    words = {"tier": "smoke", "seeds": 3, "jobs": 0, "store": folder / "store"}
    wanted = {"experiments": [NAME], "datasets": ["gaussian_tree"]}
    measure(results=folder / "r", **words, **wanted)
    return folder / "r"


@pytest.fixture(autouse=True)
def folder(call: Call, honest: Path) -> None:
    assert call, "it is where copies go"
    shutil.copytree(honest, "r")


def forge(column: str, value: str, where: str = "metric == 'subspace_accuracy'") -> str:
    """Change one row; gives its cell."""
    rows = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    row = rows.query(where).index[0]
    rows.loc[row, column] = value
    rows.to_csv(FILE, index=False)
    return str(rows.loc[row, "cell"])


def verify(call: Call, *words: str) -> Result:
    """One of its three cells, the first of the file."""
    cells = pd.read_csv(FILE, dtype=str)["cell"]
    theirs = {NAME: pd.DataFrame({"cell": cells, "status": "ok", "train_seconds": 0.0})}
    drawn = next(s for s in range(99) if cells[0] in draw(theirs, 1, s).keys)
    return call(
        "verify", "r", "--jobs", "0", "--sample", "1", "--seed", str(drawn), *words
    )


def test_honest_rows_agree_in_every_digit(call: Call) -> None:
    before = FILE.read_bytes()
    said = call("verify", "r", "--jobs", "0", "--sample", "2", "--seed", "5")
    assert said.exit_code == 0, said.output
    assert said.stdout.endswith("0 differ, 0 within rounding, 2 same\n")
    assert "drawn with --seed 5" in said.stderr
    assert FILE.read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"r"}


def test_a_forged_digit_is_found_on_the_same_processor(call: Call) -> None:
    rows = pd.read_csv(FILE, dtype=str)
    value = rows.query("metric == 'subspace_accuracy'")["value"].iloc[0]
    cell = forge("value", f"{float(value) + 1e-5:.6f}")
    said = verify(call, "--json")
    assert said.exit_code == 1, said.output
    found = json.loads(said.stdout)
    assert found["differ"] == 1
    assert {row["cell"] for row in found["differs"]} == {cell}
    line = verify(call).stdout.splitlines()[0]
    assert line.startswith(f"differs: {NAME} {cell} gaussian_tree subspace_accuracy")


@pytest.mark.parametrize(("value", "code"), [(1e-5, 0), (100.0, 1)])
def test_on_another_processor_what_rounding_cannot_do_is_found(
    call: Call, value: float, code: int
) -> None:
    text = FILE.read_text()
    FILE.write_text(text.replace("processor=", "processor=another-"))
    rows = pd.read_csv(FILE, dtype=str)
    there = float(rows.query("metric == 'subspace_accuracy'")["value"].iloc[0])
    forge("value", f"{there + value:.6f}")
    said = verify(call)
    assert said.exit_code == code, said.output
    assert ("1 within rounding" in said.stdout) == (code == 0)
    assert verify(call, "--exact").exit_code == 1


def test_a_number_that_is_lacking_is_found(call: Call) -> None:
    text = FILE.read_text().splitlines(keepends=True)
    FILE.write_text("".join(text[:1] + text[2:]))
    said = verify(call)
    assert said.exit_code == 1
    assert "lacking there" in said.stdout


def test_rows_that_are_said_to_be_another_cells_are_found(call: Call) -> None:
    rows = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    rows["seed"] = rows["seed"].replace({"0": "1", "1": "0"})
    rows.to_csv(FILE, index=False)
    assert verify(call).exit_code == 1


def test_what_the_code_does_not_know_cannot_be_run(
    call: Call,
) -> None:
    cell = pd.read_csv(FILE)["cell"][0]
    FILE.write_text(FILE.read_text().replace(cell, "0" * 16))
    said = verify(call)
    assert said.exit_code == 2
    assert f"cell {'0' * 16}: {NAME} has no such cell here" in said.stderr
    FILE.write_text(FILE.read_text().replace("0" * 16, cell))
    FILE.write_text(
        FILE.read_text().replace("subspace_accuracy,1,", "subspace_accuracy,99,")
    )
    said = verify(call)
    assert said.exit_code == 2
    assert "subspace_accuracy is of version 1 here" in said.stderr
    FILE.rename(FILE.with_stem("not_ours"))
    said = call("verify", "r")
    assert said.exit_code == 2
    assert "not_ours" in said.stderr.splitlines()[-1]
    assert call("verify", "nowhere").exit_code == 2


def test_a_budget_that_is_spent_is_no_agreement(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SimpleNamespace(monotonic=lambda: -1e9)
    monkeypatch.setattr("mae_bench.commands.verify.time", late)
    said = verify(call, "--budget", "1s")
    assert said.exit_code == 2
    assert "the budget was spent" in said.stderr
