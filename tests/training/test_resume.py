"""A training that is killed on its way ends with the numbers of one that is not."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell
from mae_bench.records.store import Trained
from mae_bench.training import resume, train, watch
from mae_bench.training.resume import Resume

TRAINED = [m for m in registry.names("methods") if registry.load("methods", m).trains]
STEPS = 12


class Killed(BaseException):
    """What no one catches."""


def cell_of(method: str, steps: int = STEPS) -> Cell:
    world = registry.load("datasets", "gaussian_tree")
    learner = registry.load("methods", method)
    known = registry.settings(learner)
    budget = TIERS["smoke"].budget() | {"steps": steps, "warmup": 0.5}
    return Cell(
        dataset="gaussian_tree",
        method=method,
        tier="smoke",
        seed=0,
        dataset_settings=registry.settings(world),
        method_settings=known | {k: v for k, v in budget.items() if k in known},
        versions={"dataset": world.version, "method": learner.version},
    )


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch):
    """Train with a checkpoint after every call, and be killed after some."""

    def run(cell: Cell, path: Path, after: int, **others) -> None:
        monkeypatch.setattr(resume, "KEEP_EVERY", 0.0)
        honest = Resume.on_train_batch_end
        seen = 0

        def then_die(self: Resume, *words: object) -> None:
            nonlocal seen
            honest(self, *words)
            seen += 1
            if seen == after:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Resume, "on_train_batch_end", then_die)
            with pytest.raises(Killed):
                train.train(cell, unfinished=path, **others)

    return run


def weights(content: bytes) -> dict[str, torch.Tensor]:
    return torch.load(io.BytesIO(content), weights_only=True)


def same(one: tuple[Trained, bytes], two: tuple[Trained, bytes]) -> None:
    assert one[0].curve == two[0].curve
    assert one[0].loss == two[0].loss
    a, b = weights(one[1]), weights(two[1])
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("method", TRAINED)
def test_every_method_goes_on_to_the_same_weights_bit_for_bit(
    method: str, killed, tmp_path: Path
) -> None:
    cell, path = cell_of(method), tmp_path / "unfinished" / "cell.ckpt"
    killed(cell, path, after=1)
    assert sorted(p.name for p in path.parent.iterdir()) == ["cell.ckpt"]
    same(train.train(cell, unfinished=path), train.train(cell))


def test_killed_again_and_again_it_still_ends_the_same(killed, tmp_path: Path) -> None:
    cell, path = cell_of("mae", 55), tmp_path / "cell.ckpt"
    for _ in range(3):
        killed(cell, path, after=1)
    found = train.train(cell, unfinished=path)
    same(found, train.train(cell))
    assert len(found[0].curve or []) == watch.POINTS


def test_what_it_passed_before_the_kill_is_not_passed_again(
    killed, tmp_path: Path
) -> None:
    cell, path = cell_of("mae", 40), tmp_path / "cell.ckpt"
    early = [
        replace(cell, method_settings=cell.method_settings | {"stop": stop})
        for stop in (0.25, 0.75)
    ]
    found: dict[float, tuple[Trained, bytes]] = {}

    def keep(passed: Cell, trained: Trained, content: bytes) -> None:
        stop = passed.method_settings["stop"]
        assert stop not in found
        found[stop] = trained, content

    killed(cell, path, 2, passing=early, keep=keep)
    assert [*found] == [0.25]
    train.train(cell, passing=early, keep=keep, unfinished=path)
    assert [*found] == [0.25, 0.75]
    for one in early:
        same(found[one.method_settings["stop"]], train.train(one))


def test_its_seconds_are_those_of_all_its_runs(killed, tmp_path: Path) -> None:
    cell, path = cell_of("mae"), tmp_path / "cell.ckpt"
    killed(cell, path, after=1)
    state = torch.load(path, weights_only=True)
    (ours,) = (v for k, v in state["callbacks"].items() if k.startswith("Resume"))
    ours["seconds"] = 1000.0
    torch.save(state, path)
    trained, _ = train.train(cell, unfinished=path)
    assert 1000 < trained.train_seconds < 1060


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_checkpoint_that_cannot_be_read_is_begun_anew(
    content: bytes | None, killed, tmp_path: Path
) -> None:
    cell, path = cell_of("mae"), tmp_path / "cell.ckpt"
    killed(cell, path, after=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    same(train.train(cell, unfinished=path), train.train(cell))


def test_a_short_training_writes_nothing(tmp_path: Path) -> None:
    train.train(cell_of("mae"), unfinished=tmp_path / "x" / "cell.ckpt")
    assert list(tmp_path.iterdir()) == []
