"""A device's name, the processors that it stands for, and what mps lacks."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mae_bench.datasets import Batch
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell
from mae_bench.training.places import places, reading_place
from mae_bench.training.train import Batches, build, generator

LEARNERS = [
    name for name in registry.names("methods") if registry.load("methods", name).trains
]
# Of these a method is built on the first that it can be.
WORLDS = ("gaussian_tree", "linear_pair", "gaussian_field", "spiked_field")


class WithoutFloat64(TorchDispatchMode):
    """Refuses what mps would refuse."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = function(*args, **(kwargs or {}))
        for value in tree_leaves(found):
            if isinstance(value, torch.Tensor) and value.dtype == torch.float64:
                raise TypeError(f"{function} gives float64")
        return found


def cell_of(method: str, world: str) -> Cell:
    known = registry.settings(registry.load("methods", method))
    budget = {k: v for k, v in TIERS["smoke"].budget().items() if k in known}
    settings = registry.settings(registry.load("datasets", world))
    return Cell(world, method, "smoke", 0, settings, known | budget, {})


def built(method: str) -> Any:
    for world in WORLDS:
        try:
            return build(cell_of(method, world), "cpu")
        except ValueError:
            continue
    raise AssertionError(f"{method} is built on none of {WORLDS}")


def test_it_refuses_what_mps_would() -> None:
    with pytest.raises(TypeError, match="float64"), WithoutFloat64():
        torch.ones(2).double()


@pytest.mark.parametrize("method", LEARNERS)
def test_no_training_computes_in_float64(method: str) -> None:
    dataset, learner = built(method)
    learner.noise = generator(0)
    assert torch.float64 not in {w.dtype for w in learner.state_dict().values()}
    batch = dataset.sample(learner.batch_size, generator(1))
    with WithoutFloat64():
        learner.loss(batch, learner.noise).backward()
        learner.follow(dict(learner.named_parameters()), 0)


def test_for_mps_images_are_drawn_on_the_cpu_and_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = cell_of("mae", "gaussian_tree")
    dataset, method = build(cell, "cpu")
    moved = []

    def to(self: Batch, device: str) -> Batch:
        moved.append(device)
        return self

    monkeypatch.setattr(Batch, "to", to)
    first = next(Batches(dataset, cell, method, "mps").draw())
    assert moved == ["mps"]
    here = next(Batches(dataset, cell, method, "cpu").draw())
    assert torch.equal(first.images, here.images)
    assert moved == ["mps"]


def test_what_was_trained_on_mps_is_measured_on_the_cpu() -> None:
    assert reading_place("mps") == "cpu"
    assert [reading_place(d) for d in ("cpu", "cuda:1")] == ["cpu", "cuda:1"]
    assert places("mps") == ["mps"]


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("cpu", ["cpu"]),
        ("cuda", ["cuda"]),
        ("cuda:3", ["cuda:3"]),
        ("cuda:0,1", ["cuda:0", "cuda:1"]),
    ],
)
def test_one_entry_a_processor(device: str, expected: list[str]) -> None:
    assert places(device) == expected
