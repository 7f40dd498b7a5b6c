"""What a cell needs goes along to another machine, and what it made comes back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mae_bench.records.schema import Cell
from mae_bench.records.store import Store, Trained
from mae_bench.runs import logs
from mae_bench.runs.away import launcher
from mae_bench.runs.engines import HERE, Engine, Outcomes
from mae_bench.runs.plan import Task
from mae_bench.runs.worker import Job, Work, attempt


def train(task: Task, device: str) -> str:
    """Keeps a cell as trained, or its scores where it is there already."""
    store, key = Store(task.store), task.cell.key
    logs.note(task.store, key, f"on {device}")
    if store.trained(key) is None:
        store.save_trained(key, Trained("ok", provenance=task.provenance), b"weights")
    else:
        assert store.encoder(key) == b"weights"
        store.add_scores(key, {"mcc": [1.0]})
    return f"{task.store}"


def elsewhere(
    jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
) -> Outcomes:
    """Does jobs where the driver's store is not known again."""
    del until
    for job in jobs:
        stranger = replace(job.payload, token="no such file")  # noqa: S106 - a name
        yield attempt(work, replace(job, payload=stranger), devices[0])


def here(
    jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
) -> Outcomes:
    del until
    yield from (attempt(work, job, devices[0]) for job in jobs)


@pytest.fixture
def task(cell_of: Callable[..., Cell], tmp_path: Path) -> Task:
    origin = {"commit": "the driver's", "dirty": False}
    return Task(cell_of("mae"), (("mcc", "unmasked"),), tmp_path / "store", origin)


def run(task: Task, engine: Engine) -> str:
    launch = launcher(engine, Store(task.store))
    (end,) = launch([Job("a", task, 9.0)], train, ["cpu"], math.inf)
    assert end.status == "ok", end.reason
    return str(end.result)


def test_another_machine_gets_what_it_needs_and_gives_what_it_made(task: Task) -> None:
    engine = Engine(HERE.devices, elsewhere, travels=True)
    store, key = Store(task.store), task.cell.key
    assert run(task, engine) != str(task.store)
    trained = store.trained(key)
    assert trained is not None
    assert store.encoder(key) == b"weights"
    assert trained.provenance is not None
    assert trained.provenance["node"], "where it was"
    assert trained.provenance["commit"] != "the driver's"
    run(task, engine)
    assert store.scores(key) == {"mcc": [1.0]}
    assert logs.path_of(task.store, key).read_text() == "on cpu\non cpu\n"
    assert not list(task.store.glob(".known*"))


def test_who_sees_the_store_works_in_it(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(task.store.parent)
    relative = replace(task, store=Path("store"))
    assert run(relative, Engine(HERE.devices, here)) == str(task.store)
    assert Store(task.store).trained(task.cell.key) is not None
