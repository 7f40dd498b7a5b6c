"""Regressions planted in the code: the gate finds them, and is not fooled by noise."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mae_bench.commits.changes import exit_code, settle
from mae_bench.commits.compare import compare
from mae_bench.commits.sides import Side, side
from mae_bench.commits.timings import Timing, samples
from mae_bench.datasets.digits import Digits
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.models import decoder
from mae_bench.records.schema import TIERS
from mae_bench.records.store import Store
from mae_bench.runs.known import Known
from mae_bench.runs.measure import Run
from mae_bench.runs.plan import pending, plan
from mae_bench.training import train

TINY = Experiment(
    question="Does MAE reconstruct?",
    expected={},
    datasets=(Digits,),
    methods=(MAE,),
    metrics=(reconstruction_error,),
    budgets={"smoke": {"steps": 45, "batch_size": 64, "depth": 1, "warmup": 0.2}},
    cost="nothing",
)


def measured(folder: Path) -> Side:
    """Five seeds of the tiny experiment, with the code as it is now."""
    store = Store(folder / "store")
    wanted = plan({"tiny": TINY}, tier="smoke", seeds=range(5), store=store)
    due = pending(wanted, store, Known(), "missing")
    Run(wanted, store, folder).measure(due, [])
    return side(str(folder))


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Side, Side]:
    """The code as it is, and with a decoder that does not know where patches are."""
    folder = tmp_path_factory.mktemp("planted")
    honest = decoder.sincos_positions
    whole = measured(folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            decoder, "sincos_positions", lambda *size: torch.zeros_like(honest(*size))
        )
        return whole, measured(folder / "broken")


def test_a_planted_loss_of_accuracy_is_worse(sides: tuple[Side, Side]) -> None:
    found = compare(*sides, speed=False).changes
    (change,) = (c for c in found if c.name["metric"] == "reconstruction_error")
    assert (change.verdict, change.n) == ("worse", 5)
    assert change.high < -change.margin
    assert exit_code(found) == 1


def test_the_same_pair_backwards_is_an_improvement(sides: tuple[Side, Side]) -> None:
    found = compare(*sides[::-1], speed=False).changes
    assert [change.verdict for change in found] == ["better"]
    assert exit_code(found) == 0


def test_a_side_against_itself_is_the_same(sides: tuple[Side, Side]) -> None:
    for one in sides:
        found = compare(one, one).changes
        assert {change.verdict for change in found} == {"same"}
        assert exit_code(found) == 0


@pytest.fixture(scope="module")
def step() -> Callable[[], None]:
    """One training step of MAE, on a batch that is there."""
    cell, _ = next(TINY.cells(TIERS["smoke"], range(1)))
    dataset, method = train.build(cell, "cpu")
    (optimizer,), _ = method.configure_optimizers()
    noise = train.generator(1)
    batch = dataset.sample(64, train.generator(2))

    def run() -> None:
        loss = method.loss(batch, noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    run()
    return run


def taken(step: Callable[[], None], times: int) -> list[float]:
    """Ten samples of the processor's seconds."""
    found = []
    for _ in range(10):
        start = time.process_time()
        for _ in range(5 * times):
            step()
        found.append(time.process_time() - start)
    return found


def verdict(before: list[float], after: list[float]) -> str:
    a, b = ({"step": Timing("1", s[0], tuple(s))} for s in (before, after))
    (change,) = settle(list(samples("here", a, b)))
    return change.verdict


def test_a_step_that_is_done_twice_is_worse_and_back_is_better(
    step: Callable[[], None],
) -> None:
    once, twice = taken(step, 1), taken(step, 2)
    assert verdict(once, twice) == "worse"
    assert verdict(twice, once) == "better"


def test_ten_percent_of_noise_on_the_same_step_is_not_worse(
    step: Callable[[], None],
) -> None:
    once = np.array(taken(step, 1))
    rng = np.random.default_rng(0)
    for _ in range(50):
        before, after = once * rng.uniform(0.9, 1.1, (2, len(once)))
        assert verdict(before.tolist(), after.tolist()) in ("same", "unknown")
    assert verdict((0.9 * once).tolist(), (1.1 * once).tolist()) != "worse"
