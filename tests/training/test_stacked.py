import io
import logging
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting
from mae_bench.training import stacked, train
from mae_bench.training.stacked import (
    Ends,
    Member,
    agree,
    candidates,
    groups,
    signature,
    train_together,
)
from tests.training.double import ALONE, rounding, train_in_64_bits

SMALL = {"batch_size": 16, "steps": 3, "depth": 1}


def cell_of(method: str, seed: int = 0, **changed: Setting) -> Cell:
    world = registry.load("datasets", "gaussian_tree")
    learner = registry.load("methods", method)
    known = registry.settings(learner)
    budget = TIERS["smoke"].budget() | SMALL | changed
    return Cell(
        dataset="gaussian_tree",
        method=method,
        tier="smoke",
        seed=seed,
        dataset_settings=registry.settings(world),
        method_settings=known | {k: v for k, v in budget.items() if k in known},
        versions={"dataset": world.version, "method": learner.version},
    )


def member(method: str, seed: int = 0, **changed: Setting) -> Member:
    cell = cell_of(method, seed, **changed)
    return Member(cell, *train.build(cell, "cpu"))


def ended(cells: Sequence[Cell]) -> list[Ends]:
    return list(train_together(cells, "cpu"))


def seeds(groups: Sequence[Sequence[Cell]]) -> list[list[int]]:
    return [[cell.seed for cell in group] for group in groups]


# Who might go together, by settings.


def test_seeds_and_fractions_go_together_equal_fractions_side_by_side() -> None:
    cells = [cell_of("u_mae", s, lamb=x) for s in (0, 1) for x in (0.5, 0.1)]
    (group,) = candidates(cells, 8)
    assert [(c.method_settings["lamb"], c.seed) for c in group] == [
        (0.1, 0),
        (0.1, 1),
        (0.5, 0),
        (0.5, 1),
    ]


@pytest.mark.parametrize(
    "changed", [{"embed_dim": 64}, {"num_heads": 4}, {"mask_family": "block"}]
)
def test_sizes_and_choices_keep_cells_apart(changed: dict[str, Setting]) -> None:
    cells = [cell_of("mae", 0), cell_of("mae", 0, **changed)]
    assert candidates(cells, 8) == []
    again = [cell_of("mae", 1), cell_of("mae", 1, **changed)]
    assert seeds(candidates([*cells, *again], 8)) == [[0, 1], [0, 1]]


def test_methods_are_kept_apart_groups_are_cut_and_the_lonely_left_out() -> None:
    cells = [cell_of("mae", seed) for seed in range(5)]
    cells += [cell_of("simclr", seed) for seed in (7, 6)]
    assert seeds(candidates(cells, 2)) == [[0, 1], [2, 3], [6, 7]]
    assert candidates(cells[:1], 2) == []


# Who can, once built.


def test_equal_numbers_of_visible_patches_stack_and_others_do_not() -> None:
    members = [member("mae", s, mask_ratio=r) for s in (0, 1) for r in (0.75, 0.7, 0.5)]
    # Of 16 patches 0.75 leaves 4, and 0.7 as well.
    found = [[m.cell.method_settings["mask_ratio"] for m in g] for g in groups(members)]
    assert found == [[0.75, 0.7, 0.75, 0.7], [0.5, 0.5]]


def test_runs_of_different_length_do_not_stack() -> None:
    assert signature(member("mae", stop=0.4)) != signature(member("mae"))
    assert signature(member("mae", 1)) == signature(member("mae"))
    assert signature(member("mae", stop=0.0)) is None


def test_a_step_that_is_taken_in_parts_is_taken_alone() -> None:
    assert signature(member("mae", accumulate=2)) is None


@pytest.mark.parametrize("method", sorted(ALONE))
def test_a_method_that_steps_masks_or_counts_in_its_own_way_goes_alone(
    method: str,
) -> None:
    members = [member(method, seed) for seed in (0, 1)]
    assert {signature(one) for one in members} == {None}
    assert ended([one.cell for one in members]) == []


def test_a_part_of_a_method_that_differs_keeps_it_apart() -> None:
    # No shape tells the number of heads.
    one, two = member("mae", num_heads=2), member("mae", num_heads=4)
    assert signature(one) != signature(two)


def test_numbers_that_the_loss_decides_by_are_equal_in_a_group(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = MAE.forward

    def forward(self: MAE, example: Any) -> Tensor:
        return honest(self, example) * (2 if self.mask_ratio > 0.745 else 1)

    monkeypatch.setattr(MAE, "forward", forward)
    members = [member("mae", s, mask_ratio=r) for s in (0, 1) for r in (0.75, 0.74)]
    with caplog.at_level(logging.WARNING):
        found = [
            [m.cell.method_settings["mask_ratio"] for m in g] for g in groups(members)
        ]
    assert found == [[0.75, 0.75], [0.74, 0.74]]
    assert "not stacked" in caplog.text


def test_a_setting_that_hides_is_found_by_the_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = MAE.forward

    def forward(self: MAE, example: Any) -> Tensor:
        return honest(self, example) * self.hidden[0]

    monkeypatch.setattr(MAE, "forward", forward)
    members = [member("mae", seed) for seed in (0, 1)]
    for m, factor in zip(members, (1.0, 1.01), strict=True):
        m.method.hidden = [factor]
    assert not agree(members)
    members[1].method.hidden = [1.0]
    assert agree(members)


# How they end.


@pytest.mark.parametrize(
    ("method", "name", "values"),
    [
        ("mae", "lr", (0.01, 0.01)),
        ("u_mae", "lamb", (0.0, 1.0)),
        ("simclr", "lr", (0.01, 0.002)),
        ("denoising", "noise_std", (0.1, 0.3)),
        ("supervised", "weight_decay", (0.0, 0.3)),
    ],
)
def test_a_member_is_what_training_alone_gives(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    name: str,
    values: tuple[float, float],
) -> None:
    train_in_64_bits(monkeypatch)
    steps = 12  # into the second of Lightning's calls
    cells = [cell_of(method, s, steps=steps, **{name: v}) for s, v in enumerate(values)]
    (ends,), tolerance = ended(cells), rounding(steps, lr=0.01)
    assert list(ends) == [cell.key for cell in cells]
    for cell in cells:
        (ours, weights), (theirs, expected) = ends[cell.key], train.train(cell)
        assert (ours.status, ours.fingerprint) == ("ok", theirs.fingerprint)
        assert ours.loss == pytest.approx(theirs.loss, rel=tolerance)
        assert ours.curve == pytest.approx(theirs.curve, rel=tolerance)
        assert len(set(ours.curve)) == steps
        assert ours.train_seconds > 0
        features = []
        for kept in (weights, expected):
            dataset, frozen = train.restore(cell, ours, kept, "cpu")
            batch = dataset.sample(16, torch.Generator().manual_seed(0))
            features.append(frozen.features(batch))
        for token, h in features[0].items():
            assert torch.allclose(h, features[1][token], rtol=0, atol=tolerance)


def test_the_store_keeps_as_many_bytes_of_a_member_as_of_a_cell_alone() -> None:
    cells = [cell_of("mae", seed) for seed in range(3)]
    (ends,) = ended(cells)
    alone = train.train(cells[1])[1]
    weights = ends[cells[1].key][1]
    assert abs(len(weights) - len(alone)) < 200
    names = [list(torch.load(io.BytesIO(w))) for w in (weights, alone)]
    assert names[0] == names[1]


def poisoned(monkeypatch: pytest.MonkeyPatch, seed: int, step: int) -> None:
    """From a step on, the images of one seed's world are infinite."""
    honest = train.build

    def build(cell: Cell, device: str) -> tuple[Dataset, Method]:
        dataset, method = honest(cell, device)
        sample, drawn = dataset.sample, 0

        def spoilt(n: int, generator: torch.Generator) -> Batch:
            nonlocal drawn
            batch = sample(n, generator)
            drawn += n == method.batch_size
            return Batch(batch.images * torch.inf) if drawn > step else batch

        if cell.seed == seed:
            dataset.sample = spoilt  # type: ignore[method-assign]
        return dataset, method

    monkeypatch.setattr(stacked, "build", build)
    monkeypatch.setattr(train, "build", build)


@pytest.mark.parametrize("steps", [3, 52])
def test_a_member_that_diverges_says_so_as_it_would_alone_and_drops_out_alone(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    train_in_64_bits(monkeypatch)
    cells = [cell_of("mae", seed, steps=steps, batch_size=2) for seed in range(3)]
    (fine,) = ended([cells[0], cells[2]])
    poisoned(monkeypatch, seed=1, step=2)
    (ends,) = ended(cells)
    lost, weights = ends[cells[1].key]
    assert (lost, weights) == train.train(cells[1])
    assert (lost.status, weights) == ("diverged", b"")
    for cell in (cells[0], cells[2]):
        ours, theirs = (torch.load(io.BytesIO(e[cell.key][1])) for e in (ends, fine))
        assert ends[cell.key][0].status == "ok"
        for name in ours:
            assert (ours[name] - theirs[name]).abs().max() < rounding(steps, lr=0.01), (
                name
            )


def test_an_ensemble_of_which_all_diverge_has_no_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = MAE.forward
    monkeypatch.setattr(MAE, "forward", lambda self, e: honest(self, e) * torch.nan)
    (ends,) = ended([cell_of("mae", seed) for seed in (0, 1)])
    for trained, weights in ends.values():
        assert (trained.status, weights) == ("diverged", b"")
        assert trained.reason == "the loss was nan by step 3"


def test_what_does_not_fit_into_the_memory_is_halved_down_to_cells_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, tried = stacked._fit, []

    def fit(group: Sequence[Member], device: str) -> Ends:
        tried.append(len(group))
        if len(group) > 2:
            raise torch.cuda.OutOfMemoryError("too large")
        return honest(group, device)

    monkeypatch.setattr(stacked, "_fit", fit)
    found = ended([cell_of("mae", seed) for seed in range(5)])
    assert tried == [5, 2, 3, 2]
    assert [len(ends) for ends in found] == [2, 2]


def test_a_cell_that_cannot_be_built_costs_itself_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cells = [cell_of("mae", seed) for seed in range(3)]
    broken = cell_of("mae", 1, num_heads=5)
    found = ended([cells[0], broken, cells[2]])
    assert [list(ends) for ends in found] == [[cells[0].key, cells[2].key]]
    assert f"not stacked: {broken.key}: ValueError" in caplog.text

    def fit(*_: Any) -> Ends:
        raise LookupError("gone")

    monkeypatch.setattr(stacked, "_fit", fit)
    assert ended(cells) == []
    assert f"{cells[0].key} and 2 more: LookupError: gone" in caplog.text
