"""Two processes, with Lightning's own strategy, train the cell that one trains."""

import io
from functools import partial
from typing import Any

import pytest
import torch
from torch.multiprocessing.spawn import start_processes

from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell
from mae_bench.records.store import Trained
from mae_bench.training import parallel
from mae_bench.training.attached import Attached
from mae_bench.training.parallel import train_over
from mae_bench.training.train import train
from mae_bench.training.watch import STEPS_A_CALL
from tests.processes import START
from tests.training.double import rounding, train_in_64_bits

STEPS = STEPS_A_CALL + 3
ONE_OF_THEM = parallel._member


def cell_of(method: str, **changed: Any) -> Cell:
    kind = registry.load("methods", method)
    world = registry.load("datasets", "gaussian_tree")
    known = registry.settings(kind)
    budget = TIERS["smoke"].budget() | {"steps": STEPS} | changed
    return Cell(
        dataset="gaussian_tree",
        method=method,
        tier="smoke",
        seed=0,
        dataset_settings=registry.settings(world),
        method_settings=known | {k: v for k, v in budget.items() if k in known},
        versions={},
    )


def weights(found: tuple[Trained, bytes]) -> dict[str, torch.Tensor]:
    trained, saved = found
    assert trained.status == "ok", trained.reason
    state: dict[str, torch.Tensor] = torch.load(io.BytesIO(saved), weights_only=True)
    return state


def member_in_64_bits(*given: Any) -> None:
    """What each process does, in 64 bits as here."""
    with pytest.MonkeyPatch.context() as patch:
        train_in_64_bits(patch)
        ONE_OF_THEM(*given)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes are copies of this one, which are there at once."""
    begin = partial(start_processes, start_method=START)
    monkeypatch.setattr(parallel, "spawn", begin)


@pytest.mark.parametrize(
    ("method", "strategy", "fixture"),
    [
        ("u_mae", "ddp_static_graph", ""),
        ("simclr", "ddp_find_unused_parameters_true", "copies"),
    ],
)
def test_a_loss_of_pairs_of_images_trains_as_in_one_process(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    method: str,
    strategy: str,
    fixture: str,
) -> None:
    if fixture:
        request.getfixturevalue(fixture)
    train_in_64_bits(monkeypatch)
    monkeypatch.setattr(parallel, "_member", member_in_64_bits)
    cell = cell_of(method, lr=1e-3)
    one, two = (
        train(cell),
        train_over(cell, "cpu:0,1", attached=Attached(strategy=strategy)),
    )
    alone, together = weights(one), weights(two)
    assert two[0].curve == pytest.approx(one[0].curve)
    assert two[0].loss == pytest.approx(one[0].loss)
    start = weights(train(cell_of(method, stop=0.0)))
    moved = 0
    for name, weight in alone.items():
        assert weight.dtype == together[name].dtype == torch.float64
        assert (together[name] - weight).abs().max() < rounding(STEPS, 1e-3), name
        moved += int((weight - start[name]).abs().max() > 1e-3)
    assert moved > 10


@pytest.mark.usefixtures("copies")
def test_a_run_that_diverges_says_so_and_leaves_no_process_waiting() -> None:
    trained, saved = train_over(cell_of("mae", lr=1e30), "cpu:0,1")
    assert (trained.status, saved) == ("diverged", b"")
    assert "the loss was" in trained.reason


def test_one_processor_needs_no_other_process() -> None:
    cell = cell_of("mae")
    one, other = weights(train_over(cell, "cpu")), weights(train(cell))
    assert all(torch.equal(one[name], other[name]) for name in one)
