"""What decides a prediction is in its hash, and no seed that was seen judges it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.simclr import SimCLR
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.mcc import mcc
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.trend import Trend
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, UsageError
from mae_bench.theories import Prediction, Theory
from mae_bench.verdicts.registration import (
    Registration,
    differences,
    hash_of,
    history,
    register,
    registered,
)

QUICK = TIERS["quick"]
PUBLISHED = Path(__file__).parent.parent.parent / "results" / "registered.csv"


def named(experiment: Experiment, name: str = "grid") -> Experiment:
    """As if it were a file of the room."""
    vars(experiment)["_name"] = name
    return experiment


GRID = named(
    Experiment(
        question="?",
        expected={},
        datasets=(GaussianTree, Digits),
        methods=(MAE, Pixels),
        metrics=(mcc, linear_r2),
        cost="",
        factors={"mask_ratio": (0.25, 0.75)},
    )
)
CLAIM = Prediction(
    claim="It rises.",
    form=Equivalence(0.1, Trend(0.2, "mask_ratio")),
    experiment=GRID,
    metric=mcc,
    where={"method": "mae", "dataset": "gaussian_tree", "token": "mean"},
    control=Control("Pixels do not.", where={"method": "pixels"}),
    standing="theorem",
    place="Theorem 1",
    refuted_by="A fall.",
)
HASH = hash_of(CLAIM, QUICK)


def grid(**changed: Any) -> Experiment:
    return named(replace(GRID, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"form": Equivalence(0.2, Trend(0.2, "mask_ratio"))},
        {"form": Equivalence(0.1, Trend(0.3, "mask_ratio"))},
        {"form": Equivalence(0.1, Trend(0.2, "mask_ratio", "decreasing"))},
        {"form": Equivalence(0.1, Trend(0.2, "mask_ratio", levels=(0.25, 0.75)))},
        {"form": Trend(0.1, "mask_ratio")},
        {"form": Contrast(0.1, {"mask_ratio": 0.25}, 0.5)},
        {"where": {**CLAIM.where, "token": "cls"}},
        {"where": {**CLAIM.where, "mask_ratio": 0.25}},
        {"control": Control("", where={"method": "simclr"})},
        {"control": Control("", {"method": "pixels"}, form=Trend(0.0, "mask_ratio"))},
        {"metric": linear_r2},
        {"metric": replace(mcc, version=99)},
        {"against": linear_r2},
        {"ceiling": 1.0},
        {"ceiling": {"method": "oracle_latents"}},
        {"each": ("dataset",)},
        {"size": "dataset"},
        {"converged": True},
        {"version": 2},
        {"experiment": grid(factors={"mask_ratio": (0.25, 0.5, 0.75)})},
        {"experiment": grid(factors={**GRID.factors, "mask_unit": (1, 2)})},
        {"experiment": grid(without=({"mask_ratio": 0.75},))},
        {"experiment": grid(settings={"depth": 3})},
        {"experiment": grid(settings={"tree_depth": 3})},
        {"experiment": grid(budgets={"quick": {"steps": 7}})},
        {"experiment": grid(views=("masked",))},
        {"experiment": named(replace(GRID), "another")},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_decides_changes_the_hash(changed: dict[str, Any]) -> None:
    assert re.fullmatch("[0-9a-f]{16}", HASH)
    assert hash_of(replace(CLAIM, **changed), QUICK) != HASH


@pytest.mark.parametrize(
    "changed",
    [{"steps": 2}, {"n_train": 7}, {"n_test": 7}, {"settings": {}}, {"name": "full"}],
    ids=str,
)
def test_the_tier_changes_the_hash(changed: dict[str, Any]) -> None:
    assert hash_of(CLAIM, replace(QUICK, **changed)) != HASH


@pytest.mark.parametrize("part", [MAE, GaussianTree, Pixels], ids=lambda p: p.__name__)
def test_a_version_of_what_it_speaks_of_changes_the_hash(
    part: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "version", 99)
    assert hash_of(CLAIM, QUICK) != HASH


def test_a_default_of_a_method_changes_the_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = registry.settings
    more = {MAE: {"norm_pix_loss": True}}
    monkeypatch.setattr(
        registry, "settings", lambda part: settings(part) | more.get(part, {})
    )
    assert hash_of(CLAIM, QUICK) != HASH


@pytest.mark.parametrize(
    "changed",
    [
        {"claim": "Up."},
        {"place": "Theorem 2"},
        {"refuted_by": "Nothing."},
        {"margin_reason": "So it is."},
        {"control": replace(CLAIM.control, reason="They cannot.")},
        {"experiment": grid(question="Why?", expected={"a": "b"}, cost="much")},
        # What it does not speak of.
        {"experiment": grid(methods=(MAE, Pixels, SimCLR))},
        {"experiment": grid(datasets=(GaussianTree,))},
        {"experiment": grid(metrics=(mcc,))},
        {"experiment": grid(budgets={"full": {"steps": 7}})},
        {"experiment": grid(factors={"mask_ratio": (0.75, 0.25)})},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_words_and_what_it_does_not_speak_of_leave_the_hash(
    changed: dict[str, Any],
) -> None:
    assert hash_of(replace(CLAIM, **changed), QUICK) == HASH


def test_a_version_of_what_it_does_not_speak_of_leaves_the_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Digits, "version", 99)
    assert hash_of(CLAIM, QUICK) == HASH


@dataclass(frozen=True)
class Shaped(Trend):
    shape: Callable[[float], float] = abs


def test_a_field_at_its_default_is_left_out_and_a_function_is_refused() -> None:
    hash_of(replace(CLAIM, form=Shaped(0.1, "mask_ratio")), QUICK)
    claim = replace(CLAIM, form=Shaped(0.1, "mask_ratio", shape=float))
    with pytest.raises(TypeError, match="cannot be registered"):
        hash_of(claim, QUICK)


def theories(**claims: Prediction) -> dict[str, Theory]:
    return {"t": Theory("Paper", "", (), claims)}


def measured(*seeds: int, status: str = "ok") -> dict[str, pd.DataFrame]:
    return {"grid": pd.DataFrame({"seed": seeds, "status": status})}


Register = Callable[..., list[Registration]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registered.csv"


@pytest.fixture
def at(path: Path) -> Register:
    return lambda rows, **claims: register(
        theories(**claims),
        rows,
        path,
        tier=QUICK,
        date="2026-01-31",
        commit="0123456789ab",
    )


CHANGED = replace(CLAIM, version=2)


def test_a_new_prediction_begins_after_the_pilot(at: Register, path: Path) -> None:
    (row,) = at(measured(0, 1, 2, 3, 4), A=CLAIM)
    assert row == Registration("t/A", HASH, "2026-01-31", "0123456789ab", 5)
    assert path.read_text().splitlines() == [
        "prediction,hash,date,commit,first_seed",
        f"t/A,{HASH},2026-01-31,0123456789ab,5",
    ]
    assert registered(path) == {"t/A": row}


def test_what_did_not_change_is_not_registered_again(at: Register, path: Path) -> None:
    at(measured(0), A=CLAIM)
    before = path.read_bytes()
    assert at(measured(0, 9), A=CLAIM) == []
    assert path.read_bytes() == before


def test_a_changed_one_takes_seeds_that_nobody_saw(at: Register, path: Path) -> None:
    at(measured(0), A=CLAIM, B=CLAIM)
    (row,) = at(measured(0, 5, 11), A=CHANGED, B=CLAIM)
    assert (row.prediction, row.first_seed) == ("t/A", 12)
    assert [r.first_seed for r in history(path)] == [5, 5, 12]
    assert registered(path)["t/A"] == row
    # Back to what it was: the seeds of the time between were seen.
    (back,) = at(measured(0, 5, 14), A=CLAIM, B=CLAIM)
    assert (back.hash, back.first_seed) == (HASH, 15)


def test_rows_that_were_lost_do_not_make_seeds_unseen(at: Register) -> None:
    at(measured(30), A=CLAIM)
    (row,) = at(measured(0), A=CHANGED)
    assert row.first_seed == 31


def test_one_that_comes_late_sees_no_seed_that_was_seen(at: Register) -> None:
    assert at(measured(*range(9)), A=CLAIM)[0].first_seed == 9


def test_what_was_never_run_was_not_seen_and_what_failed_was(at: Register) -> None:
    assert at(measured(9, status="missing"), A=CLAIM)[0].first_seed == 5
    assert at(measured(9, status="diverged"), A=CHANGED)[0].first_seed == 10
    assert at({}, C=CLAIM)[0].first_seed == 5


def test_code_and_file_are_held_against_each_other(at: Register, path: Path) -> None:
    at({}, A=CLAIM, B=CLAIM)
    found = differences(theories(A=CHANGED, C=CLAIM), path, tier=QUICK)
    assert found == (["t/C"], ["t/A"], ["t/B"])


GOOD = f"t/A,{HASH},2026-01-31,,7"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("t/B,1", "has 2 fields, and not 5"),
        ("B,0123456789abcdef,2026-01-31,,5", "names no theory/prediction"),
        ("t/B,0123,2026-01-31,,5", "has no hash of 16 hex digits"),
        ("t/B,0123456789abcdef,31.1.2026,,5", "has no date such as 2026-01-31"),
        ("t/B,0123456789abcdef,2026-01-31,main,5", "has no commit"),
        ("t/B,0123456789abcdef,2026-01-31,,4", "has no seed from 5 on"),
        ("t/B,0123456789abcdef,2026-01-31,,x", "has no seed from 5 on"),
        (GOOD, "is registered by this hash already"),
        ("t/A,0123456789abcdef,2026-01-31,,6", "takes seeds before those of its old"),
    ],
)
def test_a_line_that_cannot_be_is_named(path: Path, line: str, message: str) -> None:
    path.write_text(f"prediction,hash,date,commit,first_seed\n{GOOD}\n{line}\n")
    with pytest.raises(UsageError, match=f"line 3: .*{message}") as caught:
        registered(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_a_file_that_is_no_table_of_registrations_is_named(
    path: Path, text: str
) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match="line 1: "):
        registered(path)


def test_without_a_file_nothing_is_registered(path: Path) -> None:
    assert registered(path) == {}


def test_every_prediction_is_registered_as_it_is() -> None:
    known = {n: registry.load("theories", n) for n in registry.names("theories")}
    new, changed, _ = differences(known, PUBLISHED, tier=QUICK)
    assert not new + changed, f"run mae-bench register: {', '.join(new + changed)}"
