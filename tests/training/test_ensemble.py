from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Batch
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods import Method
from mae_bench.methods.byol import BYOL
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.u_mae import UMAE
from mae_bench.models.optimiser import adamw, warmup_cosine
from mae_bench.records import registry
from mae_bench.records.schema import TIERS
from mae_bench.training.ensemble import (
    Ensemble,
    StackedAdamW,
    differing_buffers,
    differing_fractions,
    stack,
    swapped,
)
from tests.training.double import ALONE, rounding, wide

SMALL = TIERS["smoke"].budget() | {"steps": 4, "batch_size": 8, "depth": 1}
SMALL |= {"full_masks": 0.25}
STACKING = [
    name
    for name in registry.names("methods")
    if registry.load("methods", name).trains and name not in ALONE
]


class Double(GaussianTree):
    """Its images have 64 bits."""

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        return wide(super().sample(n, generator))

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        return wide(super().redraw(batch, generator))


def member(kind: type[Method], seed: int, **changed: Any) -> Method:
    """A method in float64, the same whenever it is built."""
    stream = torch.Generator().manual_seed(seed)
    known = registry.settings(kind)
    given = {k: v for k, v in (SMALL | changed).items() if k in known}
    method = kind(Double(stream), stream, **given).double()
    method.noise = torch.Generator().manual_seed(seed + 100)
    return method


def batches(method: Method, seed: int) -> Iterator[Batch]:
    stream = torch.Generator().manual_seed(seed + 200)
    for _ in range(method.last_step):
        yield method.dataset.sample(method.batch_size, stream)


def alone(method: Method, seed: int) -> list[float]:
    """Train in a bare loop; gives the losses."""
    (optimizer,), (entry,) = method.configure_optimizers()
    losses = []
    for step, batch in enumerate(batches(method, seed)):
        loss = method.loss(batch, method.noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.follow(dict(method.named_parameters()), step)
        entry["scheduler"].step()
        losses.append(loss.item())
    return losses


def together(methods: Sequence[Method], seeds: Sequence[int]) -> Tensor:
    """Train as an ensemble, without Lightning around it; gives the losses."""
    ensemble = Ensemble(methods)
    optimizer = ensemble.configure_optimizers()
    ensemble.optimizers = lambda: optimizer  # type: ignore[method-assign]
    pairs = zip(methods, seeds, strict=True)
    rounds = zip(*(batches(m, seed) for m, seed in pairs), strict=True)
    losses = ensemble.training_step(rounds, 0)
    ensemble.unstack()
    return losses


def assert_same_weights(one: nn.Module, two: nn.Module, norm: float = 30.0) -> None:
    ours, theirs, atol = one.state_dict(), two.state_dict(), rounding(4, 0.01, norm)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert (weight - theirs[name]).abs().max() < atol, name


@pytest.mark.parametrize("name", STACKING)
def test_every_member_takes_the_steps_that_it_takes_alone(name: str) -> None:
    kind, seeds = registry.load("methods", name), (3, 5)
    apart = [member(kind, seed) for seed in seeds]
    stacked = [member(kind, seed) for seed in seeds]
    losses = together(stacked, seeds)
    for i, (method, seed) in enumerate(zip(apart, seeds, strict=True)):
        expected = alone(method, seed)
        assert losses[:, i].tolist() == pytest.approx(expected, rel=rounding(4, 0.01))
        assert_same_weights(stacked[i], method, norm=400)  # that of Barlow Twins


def test_members_keep_their_own_weight_of_the_loss_rate_and_schedule() -> None:
    settings = [
        {"lamb": 0.0, "lr": 0.01, "warmup": 0.1},
        {"lamb": 3.0, "lr": 0.003, "weight_decay": 0.0},
        {"lamb": 0.5, "lr": 0.02, "weight_decay": 0.3},
    ]
    apart, stacked = ([member(UMAE, 1, **s) for s in settings] for _ in range(2))
    together(stacked, [1, 1, 1])
    for ours, method in zip(stacked, apart, strict=True):
        alone(method, 1)
        assert_same_weights(ours, method)
    moved = [m.state_dict()["encoder.norm.weight"] for m in apart]
    assert not torch.allclose(moved[0], moved[1], atol=1e-3)
    assert (stacked[1].lamb, stacked[0].lamb) == (3.0, 0.0)


def test_followers_with_settings_of_their_own_follow_by_these() -> None:
    settings: list[dict[str, Any]] = [{"momentum": 0.2}, {"momentum": 0.9}]
    apart, stacked = ([member(BYOL, 1, **s) for s in settings] for _ in range(2))
    together(stacked, [1, 1])
    for ours, method in zip(stacked, apart, strict=True):
        alone(method, 1)
        assert_same_weights(ours, method)


def test_the_gradients_are_those_of_a_loop_over_the_members() -> None:
    methods = [member(UMAE, seed, lamb=float(seed)) for seed in range(3)]
    ensemble = Ensemble(methods)
    drawn = [next(batches(method, 0)) for method in methods]
    states = [method.noise.get_state() for method in methods]
    gradients, losses = ensemble.gradients(ensemble.prepare(drawn))
    for i, (method, batch) in enumerate(zip(methods, drawn, strict=True)):
        method.noise.set_state(states[i])
        loss = method.loss(batch, method.noise)
        found = torch.autograd.grad(loss, list(method.parameters()))
        row = torch.cat([gradient.flatten() for gradient in found])
        assert torch.allclose(gradients[i], row, rtol=1e-9, atol=1e-12)
        assert losses[i].item() == pytest.approx(loss.item(), rel=1e-12)


def test_neither_order_nor_number_of_members_matters() -> None:
    three, two = ([member(UMAE, seed) for seed in s] for s in ((0, 1, 2), (2, 0)))
    together(three, [0, 1, 2])
    together(two, [2, 0])
    assert_same_weights(three[2], two[0])
    assert_same_weights(three[0], two[1])


def test_a_member_that_blows_up_leaves_the_others_as_they_would_be() -> None:
    apart = member(UMAE, 0)
    stacked = [member(UMAE, 0), member(UMAE, 1, lr=1e200), member(UMAE, 2)]
    losses = together(stacked, [0, 1, 2])
    assert not losses[-1, 1].isfinite()
    assert losses[:, [0, 2]].isfinite().all()
    alone(apart, 0)
    assert_same_weights(stacked[0], apart)


def test_in_half_precision_losses_are_those_of_half_precision_alone() -> None:
    methods = [member(UMAE, seed).float() for seed in range(2)]
    stream = torch.Generator().manual_seed(0)
    examples = [
        m.prepare(GaussianTree(stream).sample(8, stream), stream) for m in methods
    ]
    with torch.autocast("cpu", torch.bfloat16):
        _, losses = Ensemble(methods).gradients(stack(examples))
        each = [m(example).item() for m, example in zip(methods, examples, strict=True)]
    assert losses.dtype == torch.float32
    assert losses.tolist() == pytest.approx(each, rel=5e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_stacked_optimiser_is_adamw_in_every_row(dtype: str) -> None:
    stream = torch.Generator().manual_seed(0)
    kind = getattr(torch, dtype)
    start = torch.randn(3, 8, generator=stream, dtype=kind)
    rates = torch.tensor([0.1, 0.01, 0.003], dtype=kind)[:, None]
    decay = torch.tensor([0.0, 0.05, 0.5], dtype=kind)[:, None]
    # Of each row, six values are a matrix and two a bias.
    matrix = start.clone()
    ours = StackedAdamW(matrix, rates, decay * (torch.arange(8) < 6))
    parts = [
        (nn.Parameter(row[:6].view(2, 3).clone()), nn.Parameter(row[6:].clone()))
        for row in start
    ]
    theirs = [
        adamw(part, rate.item(), d.item())
        for part, rate, d in zip(parts, rates, decay, strict=True)
    ]
    for step in range(50):
        scale = warmup_cosine(step, 50, 0.2)
        gradient = torch.randn(3, 8, generator=stream, dtype=kind) * 10.0 ** -(step % 4)
        matrix.grad, ours.param_groups[0]["lr"] = gradient, rates * scale
        ours.step()
        for row, (weight, bias), optimizer, rate in zip(
            gradient, parts, theirs, rates, strict=True
        ):
            weight.grad, bias.grad = row[:6].view(2, 3).clone(), row[6:].clone()
            for group in optimizer.param_groups:
                group["lr"] = rate.item() * scale
            optimizer.step()
    rows = [torch.cat([p.detach().flatten() for p in part]) for part in parts]
    # Each of 50 steps rounds weights below 4 twice, by half a last bit of them.
    atol = 50 * 4 * torch.finfo(kind).eps
    assert torch.allclose(matrix, torch.stack(rows), rtol=0, atol=atol)
    assert (matrix - start).abs().max() > 0.1


def test_a_closure_is_called_before_the_step_and_its_loss_given() -> None:
    matrix = torch.ones(2, 3)
    optimizer = StackedAdamW(matrix, torch.ones(2, 1), torch.zeros(2, 3))

    def closure() -> float:
        assert torch.is_grad_enabled()
        matrix.grad = torch.ones(2, 3)
        return 7.0

    assert optimizer.step(closure) == 7.0
    assert torch.allclose(matrix, torch.zeros(2, 3), atol=1e-6)


def test_only_what_differs_is_stacked_beside_the_weights() -> None:
    methods = [
        member(LinearMAE, seed, expected=True, lr=0.01 * seed) for seed in (1, 2)
    ]
    # The covariance is each world's own; which patch a pixel is of is the same.
    assert list(differing_buffers(methods)) == ["covariance"]
    assert differing_fractions(methods) == {("", "lr"): [0.01, 0.02]}
    assert not differing_buffers(methods[:1])


def test_weights_are_views_by_name_and_frozen_ones_lie_apart() -> None:
    methods = [member(BYOL, seed) for seed in (1, 2)]
    ensemble = Ensemble(methods)
    for name, weight in ensemble.weights.items():
        each = [dict(m.named_parameters())[name] for m in methods]
        assert torch.equal(weight, torch.stack(each))
        assert (name in ensemble.trained) == each[0].requires_grad
    ensemble.matrix.zero_()
    assert all(not w.any() for w in ensemble.trained.values())
    assert any(w.any() for w in ensemble.frozen.values())


def raises(_: nn.Module) -> None:
    raise LookupError


@pytest.mark.parametrize("act", [lambda _: None, raises])
def test_swapped_values_are_put_back_whatever_happens(
    act: Callable[[nn.Module], None],
) -> None:
    module = nn.Sequential(nn.Dropout(0.5), nn.LayerNorm(2))
    places = {("0", "p"): torch.tensor(0.1), ("1", "eps"): torch.tensor(0.2)}
    try:
        with swapped(module, places):
            assert (module[0].p, module[1].eps) == tuple(places.values())
            act(module)
    except LookupError:
        assert act is raises
    assert (module[0].p, module[1].eps) == (0.5, 1e-5)
