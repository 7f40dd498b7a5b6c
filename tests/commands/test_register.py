"""The verb that registers, and the one that says what it would."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mae_bench.records import folders, registry
from mae_bench.records.rows import COLUMNS
from mae_bench.verdicts.registration import registered

Call = Callable[..., Result]
USUAL = Path("my_results/quick/registered.csv")


@pytest.fixture(autouse=True)
def one_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    names = registry.names
    only = {"theories": ["visible_share"]}
    monkeypatch.setattr(registry, "names", lambda room: only.get(room) or names(room))


def rows_of(experiment: str, folder: Path, seed: int) -> None:
    row = dict.fromkeys(COLUMNS, "")
    row |= {"experiment": experiment, "seed": str(seed), "status": "error"}
    row |= {"tier": "quick", "precision": "32-true", "dirty": "False", "rounding": "0"}
    path = folder / "measurements" / f"{experiment}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")


def test_it_registers_what_is_new_and_then_nothing(call: Call) -> None:
    first = call("register")
    assert first.exit_code == 0, first.output
    assert first.stdout == "1 new, 0 unchanged, 0 changed\n"
    assert first.stderr == f"wrote {USUAL}\n"
    before = USUAL.read_bytes()
    assert call("register").stdout == "0 new, 1 unchanged, 0 changed\n"
    checked = call("register", "--check")
    assert (checked.exit_code, USUAL.read_bytes()) == (0, before)


def test_check_writes_nothing_and_names_what_differs(call: Call) -> None:
    result = call("register", "--check")
    assert result.exit_code == 1
    assert "not registered: visible_share/N1" in result.stderr
    assert "run mae-bench register" in result.stderr
    assert not USUAL.exists()


def test_a_changed_one_is_named_and_takes_seeds_that_neither_folder_has(
    call: Call,
) -> None:
    prediction = registry.load("theories", "visible_share").predictions["N1"]
    rows_of(prediction.experiment.id, Path("results"), 7)
    rows_of(prediction.experiment.id, Path("my_results/quick"), 20)
    path = Path("results/registered.csv")
    head = "prediction,hash,date,commit,first_seed\n"
    old = "visible_share/N1,0123456789abcdef,2026-01-31,,5\n"
    path.write_text(f"{head}{old}old/X,0123456789abcdef,2026-01-31,,5\n")
    checked = call("register", "--check")
    assert checked.exit_code == 1
    assert "changed: visible_share/N1" in checked.stderr
    assert "no longer in the code: old/X" in checked.stderr
    said = json.loads(call("register", "--json").stdout)
    assert said["changed"] == ["visible_share/N1"]
    assert said["added"][0]["first_seed"] == 21
    assert registered(path)["visible_share/N1"].first_seed == 21
    assert path.read_text().startswith(head + old)
    assert not USUAL.exists()


def test_a_bad_line_is_told_in_one(call: Call) -> None:
    Path("r").mkdir()
    Path("r/registered.csv").write_text("a\n")
    result = call("register", "--results", "r")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: r/registered.csv, line 1: ")


def test_elsewhere_what_is_published_is_read_and_ones_own_file_is_written(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "checkout" / "results"
    monkeypatch.setattr(folders, "CHECKOUT", there)
    experiment = registry.load("theories", "visible_share").predictions["N1"].experiment
    rows_of(experiment.id, there, 7)
    text = "prediction,hash,date,commit,first_seed\n"
    text += "visible_share/N1,0123456789abcdef,2026-01-31,,5\n"
    (there / "registered.csv").write_text(text)
    result = call("register")
    assert result.stdout == "0 new, 0 unchanged, 1 changed\n", result.output
    assert f"wrote {USUAL}" in result.stderr
    assert registered(USUAL)["visible_share/N1"].first_seed == 8
    assert USUAL.read_text().startswith(text)
    assert (there / "registered.csv").read_text() == text
