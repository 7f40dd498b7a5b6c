import csv
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.oracle_latents import OracleLatents
from mae_bench.methods.random_init import RandomInit
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.convergence import convergence
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.records import registry
from mae_bench.records.read import read_measurements, read_rows
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import STATUSES
from mae_bench.records.store import Store, StoreError
from mae_bench.runs import measure as verb
from mae_bench.runs import score
from mae_bench.runs.known import Known
from mae_bench.runs.measure import Run, work
from mae_bench.runs.plan import Plan, pending, plan, trained_again
from mae_bench.runs.worker import Job, Outcome
from mae_bench.training import stacked, train

WEIGHTS = Experiment(
    question="Does the weight matter?",
    expected={},
    datasets=(GaussianTree,),
    methods=(UMAE, RandomInit),
    factors={"lamb": (0.0, 0.01)},
    metrics=(linear_r2, linear_probe),
    cost="nothing",
)
PLAIN = Experiment(
    question="Where does it stand?",
    expected={},
    datasets=(GaussianTree,),
    methods=(UMAE, OracleLatents),
    metrics=(linear_r2, effective_rank),
    cost="nothing",
)
BOTH = {"weights": WEIGHTS, "plain": PLAIN}


class Bench:
    """A store and a results folder, and the two verbs on them."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.ended: list[tuple[str, str, str]] = []
        self.store = Store(folder / "store", self.told.append)
        self.results = folder / "results"

    def plan(
        self, experiments: dict[str, Experiment], seeds: int = 1, **filters: Any
    ) -> Plan:
        return plan(
            experiments, tier="smoke", seeds=range(seeds), store=self.store, **filters
        )

    def run(
        self,
        experiments: dict[str, Experiment] = BOTH,
        rerun: Any = "missing",
        ensembles: bool | None = None,
        **filters: Any,
    ) -> dict[str, pd.DataFrame]:
        wanted = self.plan(experiments, **filters)
        known = wanted.known(read_measurements(self.results / "measurements"))
        due = pending(wanted, self.store, known, rerun)
        self.ended = []
        told = lambda *words: self.ended.append(words)  # noqa: E731
        self.last = Run(wanted, self.store, self.results, known, told)
        self.last.measure(due, [], ensembles)
        return self.last.tables()

    def bytes(self) -> dict[str, bytes]:
        found = (self.results / "measurements").glob("*.csv")
        return {path.name: path.read_bytes() for path in found}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Methods of the cells that were trained, in order."""
    honest, found = train.train, []

    def counted(cell: Any, *how: Any) -> Any:
        found.append(cell.method)
        return honest(cell, *how)

    monkeypatch.setattr(train, "train", counted)
    return found


def fails(*_: Any) -> Any:
    raise LookupError("no\nimages")


def test_a_cell_that_two_experiments_need_is_trained_once(
    bench: Bench, trainings: list[str]
) -> None:
    tables = bench.run()
    # Lambda 0.01 is U-MAE's default, so it is the plain cell as well.
    assert sorted(trainings) == ["oracle_latents", "random_init", "u_mae", "u_mae"]
    shared = set(tables["weights"]["cell"]) & set(tables["plain"]["cell"])
    assert len(shared) == 1
    assert [status for _, status, _ in bench.ended] == ["ok"] * 4


def test_an_experiments_rows_are_the_same_whatever_is_run_along(
    tmp_path: Path,
) -> None:
    alone, together = Bench(tmp_path / "one"), Bench(tmp_path / "two")
    alone.run({"weights": WEIGHTS})
    together.run()
    (one, two) = (
        read_rows(b.results / "measurements/weights.csv") for b in (alone, together)
    )
    timed = ["train_seconds"]
    pd.testing.assert_frame_equal(one.drop(columns=timed), two.drop(columns=timed))
    assert set(two["metric"]) == {"linear_r2", "linear_probe"}


def test_long_cells_are_run_first(bench: Bench, trainings: list[str]) -> None:
    bench.run()
    assert trainings[:2] == ["u_mae", "u_mae"]


def test_a_second_run_trains_nothing_scores_nothing_and_writes_the_same(
    bench: Bench, trainings: list[str]
) -> None:
    bench.run()
    before = bench.bytes()
    trainings.clear()
    bench.run()
    assert (trainings, bench.ended) == ([], [])
    assert bench.bytes() == before


def test_the_columns_are_the_measurements_fields_with_factors_in_their_place(
    bench: Bench,
) -> None:
    bench.run({"weights": WEIGHTS})
    with open(bench.results / "measurements" / "weights.csv") as file:
        header = next(csv.reader(file))
    expected = list(COLUMNS)
    expected.insert(expected.index("seed"), "lamb")
    assert header == expected


def test_what_is_read_back_is_what_was_measured(bench: Bench) -> None:
    table = bench.run({"weights": WEIGHTS})["weights"]
    rows = read_rows(bench.results / "measurements" / "weights.csv")
    assert len(rows) == len(table)
    assert set(rows["status"]) == {"ok"}
    assert (rows["value"] - table["value"]).abs().max() <= 5e-7
    assert list(rows["cell"]) == list(table["cell"])
    control = rows["method"] == "random_init"
    assert rows.loc[control, "lamb"].isna().all()
    assert set(rows.loc[~control, "lamb"]) == {0.0, 0.01}
    assert (rows.loc[control, "train_seconds"] == 0).all()
    assert rows["versions"].str.contains("torch=").all()
    assert rows["device"].str.startswith("cpu").all()


def test_cells_that_were_not_chosen_have_no_rows(bench: Bench) -> None:
    table = bench.run({"weights": WEIGHTS}, methods=["random_init"])["weights"]
    assert set(table["method"]) == {"random_init"}
    assert set(table["status"]) == {"ok"}


def test_cells_that_were_chosen_and_not_run_are_rows_that_say_missing(
    bench: Bench,
) -> None:
    table = bench.run({"weights": WEIGHTS}, rerun="never")["weights"]
    assert len(table) == 3
    assert set(table["status"]) == {"missing"}
    assert set(table["reason"]) == {"not run yet"}
    assert table["value"].isna().all()
    assert bench.last.failures(missing=False) == {}
    assert len(bench.last.failures()) == 3


def test_a_metric_that_was_not_measured_is_a_row_that_says_missing(
    bench: Bench,
) -> None:
    bench.run({"plain": PLAIN})
    bench.run({"weights": WEIGHTS}, rerun="never")
    rows = read_rows(bench.results / "measurements" / "weights.csv")
    lacking = rows[(rows["lamb"] == 0.01) & (rows["metric"] == "linear_probe")]
    assert list(lacking["status"]) == ["missing"]
    assert list(lacking["reason"]) == ["linear_probe not measured yet"]


def test_a_cell_that_raises_is_one_row_with_its_reason_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UMAE, "loss", fails)
    tables = bench.run({"weights": WEIGHTS})
    fine = tables["weights"].query("method == 'random_init'")
    assert set(fine["status"]) == {"ok"}
    lost = tables["weights"].query("method == 'u_mae'")
    assert list(lost["status"]) == ["error", "error"]
    assert list(lost["metric"]) == ["", ""]
    assert all(r.startswith("LookupError: no images (fails:") for r in lost["reason"])
    assert sorted(status for _, status, _ in bench.ended) == ["error", "error", "ok"]
    found = bench.last.failures()
    assert len(found) == 2
    assert all(reason.startswith("error: LookupError") for reason in found.values())


@pytest.mark.parametrize(
    ("rerun", "trained"),
    [("never", 0), ("missing", 1), ("failed", 3), ("always", 3)],
)
def test_what_is_run_again_is_what_was_asked(
    bench: Bench, trainings: list[str], rerun: str, trained: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UMAE, "loss", fails)
        bench.run({"weights": WEIGHTS}, methods=["u_mae"])
    trainings.clear()
    bench.run({"weights": WEIGHTS}, rerun=rerun)
    assert len(trainings) == trained
    good = {"never": 0, "missing": 1, "failed": 3, "always": 3}[rerun]
    chosen = bench.plan({"weights": WEIGHTS})
    fine = [bench.store.trained(key) for key in chosen.tasks]
    assert sum(t is not None and t.status == "ok" for t in fine) == good
    trainings.clear()
    bench.run({"weights": WEIGHTS}, rerun=rerun)
    assert len(trainings) == (3 if rerun == "always" else 0)


def lines(content: bytes) -> set[bytes]:
    return set(content.splitlines())


NEW = {"plain": replace(PLAIN, metrics=(linear_r2, effective_rank, linear_probe))}


def test_a_metric_that_is_new_is_scored_without_training(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run({"plain": PLAIN})
    before = bench.bytes()["plain.csv"]

    def forbidden(cell: Any, device: str = "cpu") -> Any:
        raise AssertionError(f"trained {cell}, {device}")

    monkeypatch.setattr(train, "train", forbidden)
    table = bench.run(NEW)["plain"]
    assert [status for _, status, _ in bench.ended] == ["ok", "ok"]
    assert set(table["metric"]) == {"linear_r2", "effective_rank", "linear_probe"}
    # What was there stands there as it stood.
    assert lines(before) < lines(bench.bytes()["plain.csv"])


def test_rows_are_measured_whether_or_not_their_weights_are_here(
    bench: Bench, trainings: list[str]
) -> None:
    bench.run({"plain": PLAIN})
    before = bench.bytes()
    shutil.rmtree(bench.store.root)
    trainings.clear()
    bench.run({"plain": PLAIN})
    assert (trainings, bench.ended) == ([], [])
    assert bench.bytes() == before
    assert bench.last.failures() == {}
    bench.run({"plain": PLAIN}, rerun="always")
    assert sorted(trainings) == ["oracle_latents", "u_mae"]


def test_a_new_metric_of_a_cell_without_weights_trains_it_again_and_says_so(
    bench: Bench, trainings: list[str]
) -> None:
    bench.run({"plain": PLAIN})
    before = bench.bytes()["plain.csv"]
    shutil.rmtree(bench.store.root)
    trainings.clear()
    wanted = bench.plan(NEW)
    known = wanted.known(read_measurements(bench.results / "measurements"))
    due = pending(wanted, bench.store, known, "missing")
    assert [task.wanted for task in due] == [(("linear_probe", "unmasked"),)] * 2
    (again,) = trained_again(due, bench.store, known)  # a control is not trained
    assert again.cell.method == "u_mae"
    bench.run(NEW)
    assert sorted(trainings) == ["oracle_latents", "u_mae"]
    assert lines(before) < lines(bench.bytes()["plain.csv"])


def test_a_run_of_a_part_leaves_the_rest_byte_for_byte(bench: Bench) -> None:
    bench.run({"weights": WEIGHTS}, seeds=2)
    before = bench.bytes()["weights.csv"]
    shutil.rmtree(bench.store.root)
    bench.run({"weights": WEIGHTS}, seeds=1, methods=["u_mae"])
    assert bench.bytes()["weights.csv"] == before
    bench.run({"weights": WEIGHTS}, seeds=3, methods=["random_init"])
    after = bench.bytes()["weights.csv"]
    assert lines(before) < lines(after)
    grown = read_rows(bench.results / "measurements" / "weights.csv")
    assert set(grown.query("method == 'random_init'")["seed"]) == {0, 1, 2}
    assert set(grown.query("method == 'u_mae'")["seed"]) == {0, 1}


def test_rows_of_one_experiment_serve_another(
    bench: Bench, trainings: list[str]
) -> None:
    table = bench.run({"plain": PLAIN}, methods=["u_mae"])["plain"]
    shutil.rmtree(bench.store.root)
    trainings.clear()
    narrow = {"weights": replace(WEIGHTS, metrics=(linear_r2,))}
    shared = bench.run(narrow, methods=["u_mae"])["weights"]
    assert trainings == ["u_mae"]  # lambda 0; lambda 0.01 is the plain cell
    copied = shared[shared["cell"].isin(table["cell"])]
    mine = table[table["metric"] == "linear_r2"]
    assert list(copied["value"]) == list(mine["value"])
    assert list(copied["train_seconds"]) == list(mine["train_seconds"])
    assert set(copied["lamb"]) == {0.01}
    assert set(copied["experiment"]) == {"weights"}


def killed(outcomes: list[Outcome]) -> Any:
    """A launch whose first jobs end so; the others are done."""

    def launch(jobs: list[Job], work: Any, *where: Any) -> Iterator[Outcome]:
        del where
        for job in jobs:
            if outcomes:
                yield replace(outcomes.pop(), id=job.id)
            else:
                yield Outcome(job.id, "ok", "", work(job.payload, "cpu"))

    return launch


SIGNAL = Outcome("", "error", "its process was killed by signal 9", None, lost=True)


def test_a_worker_lost_while_scoring_costs_one_metric_and_no_training(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    before = bench.bytes()["plain.csv"]
    trainings.clear()
    more = replace(PLAIN, metrics=(*NEW["plain"].metrics, knn_probe))
    monkeypatch.setattr(verb, "launch", killed([SIGNAL]))
    table = bench.run({"plain": more}, methods=["u_mae"])["plain"]
    assert trainings == []
    assert lines(before) < lines(bench.bytes()["plain.csv"])
    lost = table[table["status"] == "error"]
    assert list(lost["metric"]) == ["knn_probe"]  # the first in the order of names
    assert list(lost["reason"]) == [SIGNAL.reason]
    assert set(table.query("metric == 'linear_probe'")["status"]) == {"ok"}
    assert list(bench.last.failures().values()) == [SIGNAL.reason]
    (key,) = bench.store.cells()
    trained = bench.store.trained(key)
    assert trained is not None
    assert trained.status == "ok"
    monkeypatch.undo()
    bench.run({"plain": more}, methods=["u_mae"])
    assert bench.last.failures() == {}, "who was killed is tried by the next run"
    assert trainings == []


def test_a_worker_lost_while_training_is_one_row_and_leaves_what_is_finished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    before = bench.bytes()["plain.csv"]
    shutil.rmtree(bench.store.root)
    monkeypatch.setattr(verb, "launch", killed([SIGNAL]))
    table = bench.run(NEW, methods=["u_mae"])["plain"]
    assert lines(before) < lines(bench.bytes()["plain.csv"])
    lost = table[table["status"] == "error"]
    assert list(lost["metric"]) == ["linear_probe"]
    assert list(lost["reason"]) == [SIGNAL.reason]
    monkeypatch.setattr(verb, "launch", killed([SIGNAL]))
    bench.run({"plain": PLAIN}, methods=["u_mae"], rerun="always")
    assert lines(before) < lines(bench.bytes()["plain.csv"])


def test_a_disk_that_fails_while_scoring_is_tried_again_by_the_next_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    def full(*_: Any) -> None:
        raise StoreError("cannot write scores.json: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "add_scores", full)
        table = bench.run({"plain": PLAIN}, methods=["u_mae"])["plain"]
    assert set(table["status"]) == {"missing"}
    assert table["reason"].str.contains("No space left on device").all()
    assert "No space left" in next(iter(bench.last.failures().values()))
    trainings.clear()
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    assert trainings == []
    assert bench.last.failures() == {}


def test_rows_are_written_while_the_run_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(verb, "WRITE_EVERY", -1.0)
    honest = verb.work

    def watching(task: Any, device: str) -> Any:
        path = bench.results / "measurements" / "plain.csv"
        seen.append(read_rows(path)["cell"].nunique() if path.exists() else 0)
        return honest(task, device)

    monkeypatch.setattr(verb, "work", watching)
    bench.run({"plain": PLAIN})
    assert seen == [0, 1]


def test_a_metric_of_a_new_version_replaces_its_rows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    before = bench.run({"plain": PLAIN})["plain"]
    trainings.clear()
    monkeypatch.setattr(registry, "load", newer(registry.load, linear_r2))
    after = bench.run({"plain": PLAIN})["plain"]
    assert trainings == []
    assert len(after) == len(before)
    moved = after["metric"] == "linear_r2"
    assert set(after.loc[moved, "metric_version"]) == {linear_r2.version + 1}
    assert set(before["metric_version"] - after["metric_version"]) == {0, -1}


def newer(load: Any, metric: Any) -> Any:
    """A registry in which a metric has its next version."""

    def loading(room: str, part: str) -> Any:
        found = load(room, part)
        return replace(metric, version=metric.version + 1) if found is metric else found

    return loading


def test_truncated_weights_are_moved_aside_reported_and_trained_again(
    bench: Bench, trainings: list[str]
) -> None:
    bench.run({"plain": PLAIN})
    (key,) = (
        k
        for k, t in bench.plan({"plain": PLAIN}).tasks.items()
        if t.cell.method == "u_mae"
    )
    path = bench.store.root / "cells" / key / "encoder.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    shutil.rmtree(bench.results)
    trainings.clear()
    bench.run({"plain": PLAIN})
    assert trainings == ["u_mae"]
    assert path.read_bytes() == whole
    assert any(str(path) in line for line in bench.told)
    assert bench.store.quarantined()


def test_the_scores_of_another_cell_are_moved_aside_and_not_believed(
    bench: Bench, trainings: list[str]
) -> None:
    bench.run({"plain": PLAIN})
    before = bench.bytes()
    one, two = (
        bench.store.root / "cells" / k / "scores.json" for k in bench.store.cells()
    )
    one.write_bytes(two.read_bytes())
    shutil.rmtree(bench.results)
    trainings.clear()
    bench.run({"plain": PLAIN})
    assert trainings == []
    assert len(bench.ended) == 1
    assert any(str(one) in line and "not this cell's" in line for line in bench.told)
    assert bench.bytes() == before


def test_failures_name_the_metric_and_only_what_this_run_wants(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("the value is nan")

    with monkeypatch.context() as patch:
        patch.setitem(score.READERS, "features", broken)
        bench.run({"plain": PLAIN}, methods=["u_mae"])
    found = bench.last.failures()
    assert list(found.values()) == ["the value is nan"]
    assert "u_mae" in next(iter(found))
    assert "effective_rank" in next(iter(found))
    bench.run({"plain": PLAIN}, methods=["oracle_latents"])
    assert bench.last.failures() == {}
    bench.run({"weights": WEIGHTS})
    assert bench.last.failures() == {}


def test_failures_are_of_the_rows_that_were_there_until_others_are_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    there = read_measurements(bench.results / "measurements")
    rows = there["plain"]
    first = rows["metric"] == rows["metric"].iloc[0]
    bad = rows.assign(status=rows["status"].mask(first, "error"), reason="as it was")
    run, read = bench.last, []
    monkeypatch.setattr(verb, "read_words", lambda p: read.append(p) or rows)
    run.there = {"plain": bad}
    assert set(run.failures().values()) == {"as it was"}
    assert read == []
    run.write(run.plan.tasks)
    assert run.failures() == {}
    assert len(read) == 1


def test_a_worker_of_one_cell_does_only_what_the_store_lacks(
    bench: Bench, trainings: list[str]
) -> None:
    tasks = bench.plan({"plain": PLAIN}).tasks.values()
    task = next(t for t in tasks if t.cell.method == "oracle_latents")
    first, second = work(task, "cpu"), work(task, "cpu")
    assert first == second
    assert trainings == ["oracle_latents"]
    assert first.provenance is not None
    assert set(first.provenance) == {"commit", "dirty", "versions", "device"}


def test_the_curve_of_a_training_reaches_the_metric_that_reads_it(
    bench: Bench,
) -> None:
    curious = {"curious": replace(PLAIN, metrics=(convergence,))}
    rows = bench.run(curious)["curious"].set_index(["method", "target"])
    kept = {bench.store.trained(key).curve is None: key for key in bench.store.cells()}
    expected = convergence(torch.tensor(bench.store.trained(kept[False]).curve))
    for target, value in expected.items():
        assert rows.loc[("u_mae", target), "value"] == pytest.approx(value, rel=1e-5)
    control = rows.loc["oracle_latents"].iloc[0]
    assert control["status"] == "skipped"
    assert control["reason"] == "oracle_latents was not trained"


def test_a_training_of_before_curves_were_kept_says_how_to_get_one(
    bench: Bench,
) -> None:
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    (key,) = bench.store.cells()
    old = replace(bench.store.trained(key), curve=None)
    bench.store.save_trained(key, old, bench.store.encoder(key))
    curious = {"curious": replace(PLAIN, metrics=(convergence,))}
    (row,) = bench.run(curious, methods=["u_mae"])["curious"].to_dict("records")
    assert (row["status"], row["reason"]) == (
        "error",
        "trained before curves were kept: run it with --rerun always",
    )
    again = bench.run(curious, methods=["u_mae"], rerun="always")["curious"]
    assert set(again["status"]) == {"ok"}


def test_results_hold_known_statuses_and_finite_numbers(bench: Bench) -> None:
    for table in bench.run().values():
        assert set(table["status"]) <= set(STATUSES)
        fine = table["status"] == "ok"
        assert table.loc[fine, "value"].notna().all()
        assert (table.loc[fine, "n_eval"] > 0).all()
        assert set(table["dataset"]) <= set(registry.names("datasets"))


def test_a_cells_record_on_disk_can_be_read_by_people(bench: Bench) -> None:
    bench.run({"plain": PLAIN}, methods=["oracle_latents"])
    (key,) = bench.store.cells()
    path = bench.store.root / "cells" / key / "trained.json"
    assert json.loads(path.read_text())["content"]["status"] == "ok"


def test_cells_trained_together_have_the_rows_and_keys_of_cells_alone(
    tmp_path: Path, trainings: list[str]
) -> None:
    alone, together = Bench(tmp_path / "one"), Bench(tmp_path / "two")
    one = alone.run({"weights": WEIGHTS}, seeds=2)["weights"]
    trainings.clear()
    two = together.run({"weights": WEIGHTS}, seeds=2, ensembles=True)["weights"]
    assert trainings == ["random_init"] * 2  # of an ensemble, none is trained alone
    assert alone.store.cells() == together.store.cells()
    assert [status for _, status, _ in together.ended] == ["ok"] * 6
    moved = ["value", "train_seconds", "versions"]
    pd.testing.assert_frame_equal(one.drop(columns=moved), two.drop(columns=moved))
    assert (one["value"] - two["value"]).abs().max() < 0.02
    learned = two["method"] == "u_mae"
    assert two.loc[learned, "versions"].str.endswith(" ensemble=4").all()
    assert not two.loc[~learned, "versions"].str.contains("ensemble").any()
    # Rows have tenths of a second, of which a quick machine needs none.
    taken = [together.store.trained(key).train_seconds for key in two["cell"].unique()]
    assert sum(seconds > 0 for seconds in taken) == two.loc[learned, "cell"].nunique()
    # Either store serves the other's plan.
    assert together.plan({"weights": WEIGHTS}, seeds=2).tasks.keys() == set(
        alone.store.cells()
    )
    trainings.clear()
    together.run({"weights": WEIGHTS}, seeds=2)
    assert (trainings, together.ended) == ([], [])


def test_what_is_trained_already_is_in_no_ensemble(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run({"plain": PLAIN}, methods=["u_mae"])
    asked: list[int] = []

    def candidates(cells: Any, _: int) -> list[Any]:
        assert {cell.method for cell in cells} == {"u_mae"}
        asked.append(len(cells))
        return []

    monkeypatch.setattr(stacked, "candidates", candidates)
    bench.run({"weights": WEIGHTS}, ensembles=True)
    assert asked == [1]  # lambda 0; lambda 0.01 is the plain cell


def test_what_an_ensemble_loses_is_trained_alone(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    trainings: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(stacked, "train_together", fails)
    bench.run({"weights": WEIGHTS}, methods=["u_mae"], ensembles=True)
    assert trainings == ["u_mae"] * 2
    assert [status for _, status, _ in bench.ended] == ["ok"] * 2
    assert "trained one by one: LookupError: no images" in caplog.text


def test_a_member_whose_loss_raises_has_its_own_row(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UMAE, "prepare", fails)
    table = bench.run({"weights": WEIGHTS}, ensembles=True)["weights"]
    lost = table[table["method"] == "u_mae"]
    assert list(lost["status"]) == ["error", "error"]
    assert all(r.startswith("LookupError: no images (fails:") for r in lost["reason"])


@pytest.mark.parametrize(
    ("devices", "ensembles", "expected"),
    [
        (["cpu", "cpu"], None, False),
        ([], None, False),
        (["cuda:0", "cuda:1"], None, True),
        (["cuda:0"], False, False),
        (["cpu"], True, True),
    ],
)
def test_ensembles_are_for_gpus_unless_asked_otherwise(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    devices: list[str],
    ensembles: bool | None,
    expected: bool,
) -> None:
    launched: list[tuple[Any, list[Job]]] = []

    def launch(
        jobs: list[Job], work: Any, where: list[str], until: float
    ) -> Iterator[Outcome]:
        assert (where, until) == (devices, math.inf)
        launched.append((work, jobs))
        yield from ()

    monkeypatch.setattr(verb, "launch", launch)
    wanted = bench.plan({"weights": WEIGHTS}, seeds=3)
    due = pending(wanted, bench.store, Known(), "missing")
    Run(wanted, bench.store, bench.results).measure(due, devices, ensembles)
    works = [work.__name__ for work, _ in launched]
    assert works == (["work_together", "work"] if expected else ["work"])
    assert len(launched[-1][1]) == 9
    if expected:
        (job,) = launched[0][1]
        assert len(job.payload) == 6
        assert job.time_limit == 6 * 60.0
