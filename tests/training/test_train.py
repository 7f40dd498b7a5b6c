from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from mae_bench.methods.mae import MAE
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting
from mae_bench.records.store import Trained
from mae_bench.training.train import (
    COMPILE_FROM,
    Batches,
    build,
    compile_,
    generator,
    repays_compiling,
    restore,
    train,
)
from mae_bench.training.watch import POINTS, STEPS_A_CALL


def cell_of(method: str, seed: int = 0, **changed: Setting) -> Cell:
    world = registry.load("datasets", "gaussian_tree")
    learner = registry.load("methods", method)
    known = registry.settings(learner)
    budget = TIERS["smoke"].budget() | {"steps": 3} | changed
    return Cell(
        dataset="gaussian_tree",
        method=method,
        tier="smoke",
        seed=seed,
        dataset_settings=registry.settings(world),
        method_settings=known | {k: v for k, v in budget.items() if k in known},
        versions={"dataset": world.version, "method": learner.version},
    )


def trained(method: str, **changed: Setting) -> tuple[Trained, bytes]:
    return train(cell_of(method, **changed))


def poison(monkeypatch: pytest.MonkeyPatch, from_step: int, value: float) -> None:
    """The loss of MAE is ``value`` from a step on, counted from 1."""
    steps = 0

    def loss(self: MAE, batch: Any, generator: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        factor = value if steps >= from_step else 1.0
        return honest(self, batch, generator) * factor

    honest = MAE.loss
    monkeypatch.setattr(MAE, "loss", loss)


def kept_losses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The loss of MAE at each step, as it is taken."""
    losses: list[float] = []
    honest = MAE.loss

    def loss(self: MAE, batch: Any, generator: Any) -> torch.Tensor:
        found = honest(self, batch, generator)
        losses.append(found.item())
        return found

    monkeypatch.setattr(MAE, "loss", loss)
    return losses


@pytest.mark.parametrize("method", ["mae", "simclr", "linear_mae"])
def test_a_cell_trained_twice_gives_the_same_bytes(method: str) -> None:
    first, weights = trained(method)
    torch.manual_seed(3)  # neither the global seed nor what ran before has a say
    torch.rand(5)
    second, again = trained(method)
    assert weights == again
    assert (first.loss, first.fingerprint) == (second.loss, second.fingerprint)
    assert first.status == "ok"


def test_training_changes_the_weights_and_seeds_give_others() -> None:
    cell = cell_of("mae")
    end, weights = train(cell)
    start = build(cell, "cpu")[1].state_dict()
    learned = restore(cell, end, weights, "cpu")[1].state_dict()
    moved = [name for name in start if not torch.equal(start[name], learned[name])]
    assert any(name.startswith("encoder.") for name in moved)
    assert train(cell_of("mae", seed=1))[1] != weights


@pytest.mark.parametrize("method", ["random_init", "pixels", "oracle_latents"])
def test_controls_train_in_no_time_and_stay_as_they_were_built(method: str) -> None:
    cell = cell_of(method)
    end, weights = train(cell)
    assert (end.status, end.train_seconds, end.loss) == ("ok", 0.0, None)
    built = build(cell, "cpu")[1].state_dict()
    kept = restore(cell, end, weights, "cpu")[1].state_dict()
    assert built.keys() == kept.keys()
    assert all(torch.equal(built[name], kept[name]) for name in built)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_diverged_with_its_step(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    poison(monkeypatch, 2, value)
    end, weights = trained("mae", steps=3)
    assert end.status == "diverged"
    assert end.reason.startswith("the loss was ")
    assert end.reason.endswith(" by step 3")
    assert weights == b""


def test_a_long_run_stops_soon_after_it_diverged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poison(monkeypatch, 40, float("nan"))
    end, _ = trained("mae", steps=500, batch_size=4)
    assert (end.status, end.reason) == ("diverged", "the loss was nan by step 50")


def bare_loop(cell: Cell) -> dict[str, torch.Tensor]:
    """A cell's weights, trained without Lightning."""
    dataset, method = build(cell, "cpu")
    method.noise = generator(cell.stream("noise"))
    (optimizer,), (schedule,) = method.configure_optimizers()
    weights = dict(method.named_parameters())
    for step, batch in enumerate(Batches(dataset, cell, method, "cpu").draw()):
        optimizer.zero_grad()
        method.loss(batch, method.noise).backward()
        optimizer.step()
        method.follow(weights, step)
        schedule["scheduler"].step()
    return method.state_dict()


@pytest.mark.parametrize("method", ["mae", "byol"])
@pytest.mark.parametrize("steps", [3, STEPS_A_CALL, 2 * STEPS_A_CALL + 1])
def test_lightning_takes_the_steps_of_a_bare_loop_bit_for_bit(
    steps: int, method: str
) -> None:
    cell = cell_of(method, steps=steps)
    end, weights = train(cell)
    ours = restore(cell, end, weights, "cpu")[1].state_dict()
    assert all(torch.equal(w, ours[name]) for name, w in bare_loop(cell).items())


def test_a_stopped_run_is_a_checkpoint_of_the_run_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses = kept_losses(monkeypatch)
    trained("mae", steps=24)
    whole, losses[:] = list(losses), []
    trained("mae", steps=24, stop=0.5)
    assert losses == whole[:12]


PASSED = [
    name
    for name in registry.names("methods")
    if (kind := registry.load("methods", name)).trains
    and kind.passes
    # Of the others each has a world of its own.
    and "leaderboard" in kind.joins
]


@pytest.mark.parametrize("method", PASSED)
def test_what_a_run_passes_is_what_a_stopped_run_ends_with(method: str) -> None:
    whole = cell_of(method, steps=25, batch_size=8)
    early = [cell_of(method, steps=25, batch_size=8, stop=k / 5) for k in (1, 3)]
    found = {}
    end = train(whole, passing=early, keep=lambda *of: found.update({of[0].key: of}))
    alone = [train(cell) for cell in (*early, whole)]
    assert list(found) == [cell.key for cell in early]
    on_the_way = [found[cell.key][1:] for cell in early]
    for (ours, weights), (theirs, same) in zip([*on_the_way, end], alone, strict=True):
        assert weights == same
        assert (ours.loss, ours.curve) == (theirs.loss, theirs.curve)
        assert ours.train_seconds > 0
        assert replace(ours, train_seconds=0.0) == replace(theirs, train_seconds=0.0)


def test_a_run_that_diverges_has_passed_what_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poison(monkeypatch, 20, float("nan"))
    early, kept = cell_of("mae", steps=40, stop=0.25), []
    end, _ = train(
        cell_of("mae", steps=40), passing=[early], keep=lambda *of: kept.append(of[1])
    )
    assert end.status == "diverged"
    assert [one.status for one in kept] == ["ok"]


def test_a_run_that_stops_at_the_start_keeps_its_initial_weights() -> None:
    cell = cell_of("mae", stop=0.0)
    end, weights = train(cell)
    assert (end.status, end.train_seconds, end.loss) == ("ok", 0.0, None)
    kept = restore(cell, end, weights, "cpu")[1].state_dict()
    built = build(cell, "cpu")[1].state_dict()
    assert all(torch.equal(built[name], kept[name]) for name in built)


def test_the_loss_is_the_mean_of_the_last_tenth_of_the_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = 0

    def loss(self: MAE, batch: Any, generator: Any) -> torch.Tensor:
        nonlocal step
        step += 1
        return honest(self, batch, generator) * 0 + step

    honest = MAE.loss
    monkeypatch.setattr(MAE, "loss", loss)
    assert trained("mae", steps=20, batch_size=4)[0].loss == 19.5


def test_a_curve_is_the_mean_loss_since_the_point_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses = kept_losses(monkeypatch)
    for steps in (3, 2 * STEPS_A_CALL + 1, 3 * POINTS):
        losses.clear()
        curve = trained("mae", steps=steps, batch_size=4)[0].curve
        assert curve is not None
        assert len(losses) == steps
        assert len(curve) == min(POINTS, steps)
        if steps <= POINTS:
            assert curve == losses
        else:
            each = zip(*(losses[k::3] for k in range(3)), strict=True)
            assert curve == pytest.approx([sum(three) / 3 for three in each])


def test_what_is_not_trained_has_no_curve() -> None:
    assert trained("random_init")[0].curve is None
    assert trained("mae", stop=0.0)[0].curve is None


def test_a_gpu_out_of_memory_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def loss(*_: Any) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError("too large\nmore lines")

    monkeypatch.setattr(MAE, "loss", loss)
    end, weights = trained("mae")
    assert (end.status, end.reason) == ("out_of_memory", "too large")
    assert weights == b""


def test_restored_weights_give_the_features_that_were_trained() -> None:
    cell = cell_of("mae")
    end, weights = train(cell)
    dataset, one = restore(cell, end, weights, "cpu")
    _, two = restore(cell, end, weights, "cpu")
    batch = dataset.sample(8, torch.Generator().manual_seed(0))
    first, second = one.features(batch), two.features(batch)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[token], second[token]) for token in first)
    assert not one.training
    assert not any(p.requires_grad for p in one.parameters())


def test_a_world_that_changed_is_refused_by_the_name_of_its_cell() -> None:
    cell = cell_of("random_init")
    end, weights = train(cell)
    other = Trained(**(vars(end) | {"fingerprint": "0" * 16}))
    with pytest.raises(ValueError, match=rf"cell {cell.key} .*--rerun always"):
        restore(cell, other, weights, "cpu")


def test_another_rounding_moves_the_first_weights_in_the_last_place_alone() -> None:
    cells = [replace(cell_of("mae", steps=60), rounding=r) for r in (0, 1, 2)]
    first, other, third = (
        parameters_to_vector(build(each, "cpu")[1].parameters()) for each in cells
    )
    assert not torch.equal(first, other)
    assert not torch.equal(other, third)
    torch.testing.assert_close(other, first, rtol=1e-6, atol=0.0)
    assert cells[0].key != cells[1].key
    assert cells[0].key == cell_of("mae", steps=60).key
    # From there on it is the same world, images and masks, and another training.
    (_, one), (_, two) = (train(each) for each in cells[:2])
    assert one != two


def test_methods_of_one_seed_start_from_the_same_encoder_and_world() -> None:
    (world, mae), (other, u_mae) = (build(cell_of(m), "cpu") for m in ("mae", "u_mae"))
    control = build(cell_of("random_init"), "cpu")[1]
    assert world.fingerprint() == other.fingerprint()
    for name, weight in mae.encoder.state_dict().items():
        assert torch.equal(weight, u_mae.encoder.state_dict()[name])
        assert torch.equal(weight, control.encoder.state_dict()[name])


def test_methods_of_one_seed_see_the_same_images_under_the_same_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, list[torch.Tensor]] = {"mae": [], "u_mae": []}
    honest = MAE.forward_encoder

    def forward_encoder(self: MAE, images: Any, masking: Any) -> Any:
        name = registry.id_of(type(self))
        seen[name] += [images.clone(), masking.ids_keep.clone()]
        return honest(self, images, masking)

    monkeypatch.setattr(MAE, "forward_encoder", forward_encoder)
    for method in seen:
        trained(method)
    assert len(seen["mae"]) == 2 * 3
    for ours, theirs in zip(seen["mae"], seen["u_mae"], strict=True):
        assert torch.equal(ours, theirs)


def test_the_training_images_are_fresh_at_every_step_and_replayed_in_a_new_run() -> (
    None
):
    cell = cell_of("mae")
    dataset, method = build(cell, "cpu")
    batches = Batches(dataset, cell, method, "cpu")
    first, second = (list(chain.from_iterable(batches)) for _ in range(2))
    assert len(first) == 3
    assert not torch.equal(first[0].images, first[1].images)
    assert all(
        torch.equal(a.images, b.images) for a, b in zip(first, second, strict=True)
    )


def test_long_trainings_are_compiled_on_a_gpu_alone() -> None:
    long = build(cell_of("mae", steps=COMPILE_FROM), "cpu")[1]
    short = build(cell_of("mae", steps=COMPILE_FROM - 1), "cpu")[1]
    assert repays_compiling(long, "cuda:0")
    assert not repays_compiling(short, "cuda:0")
    assert not repays_compiling(long, "cpu")


def test_a_training_that_repays_it_is_compiled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[MAE] = []
    monkeypatch.setattr(MAE, "compile", lambda method: compiled.append(method))
    trained("mae")
    assert not compiled
    monkeypatch.setattr("mae_bench.training.train.repays_compiling", lambda *_: True)
    trained("mae")
    assert len(compiled) == 1


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("mae", ["encoder", "decoder"]),
        ("simclr", ["encoder"]),
        ("i_jepa", ["encoder", "momentum_encoder", "predictor"]),
    ],
)
def test_over_several_processes_encoder_and_decoder_alone_are_compiled(
    method: str, parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda part: compiled.append(part))
    learner = build(cell_of(method), "cpu")[1]
    compile_(learner, several=True)
    names = {id(part): name for name, part in learner.named_modules()}
    assert [names[id(part)] for part in compiled] == parts
    compiled.clear()
    compile_(learner, several=False)
    assert compiled == [learner]
