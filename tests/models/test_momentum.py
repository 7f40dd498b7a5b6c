"""A copy follows its module as the formula says, by weight and by member."""

import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.models.momentum import (
    LeftBehind,
    check_momentum,
    cosine_momentum,
    follow,
    frozen_copy,
)
from mae_bench.records import registry

SMALL = {"embed_dim": 8, "depth": 1, "num_heads": 2, "steps": 10}
METHODS = ("byol", "data2vec", "i_jepa", "moco_v3", "simsiam")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=rng(seed))


def test_a_copy_is_equal_and_frozen_and_has_weights_of_its_own() -> None:
    part = nn.Linear(3, 2)
    twin = frozen_copy(part)
    assert type(twin) is nn.Linear
    assert torch.equal(twin.weight, part.weight)
    assert not any(p.requires_grad for p in twin.parameters())
    assert all(p.requires_grad for p in part.parameters())
    with torch.no_grad():
        part.weight += 1
    assert torch.equal(twin.weight + 1, part.weight)


def test_the_momentum_grows_from_the_base_to_1_and_its_halves_mirror_each_other() -> (
    None
):
    taus = [cosine_momentum(k, 40, 0.9) for k in range(41)]
    assert taus[0] == pytest.approx(0.9)
    assert taus[-1] == 1
    assert taus == sorted(taus)
    for early, late in zip(taus, reversed(taus), strict=True):
        assert early + late == pytest.approx(1.9)
    # Slow at its ends: a quarter of the way, (1 - cos 45 degrees) / 2 of the growth.
    assert taus[10] == pytest.approx(0.9 + 0.1 * (1 - 0.5**0.5) / 2)


def test_after_the_last_step_the_copy_stands_still() -> None:
    assert [cosine_momentum(k, 40, 0.9) for k in (40, 41, 60, 80, 400)] == [1.0] * 5


def test_every_value_of_a_copy_moves_by_the_formula_and_nothing_else_does() -> None:
    weights = {
        "net.weight": drawn(2, 3),
        "net.bias": drawn(2, seed=1),
        "net_two.weight": drawn(2, 3, seed=2),
        "slow.weight": drawn(2, 3, seed=3),
        "slow.bias": drawn(2, seed=4),
        "slow_two.weight": drawn(2, 3, seed=5),
    }
    before = {name: w.clone() for name, w in weights.items()}
    follow(weights, {"slow": "net"}, 0.7)
    for kind in ("weight", "bias"):
        old, new = before[f"slow.{kind}"].flatten(), before[f"net.{kind}"].flatten()
        for i, found in enumerate(weights[f"slow.{kind}"].flatten().tolist()):
            slow = 0.7 * old[i].item() + 0.3 * new[i].item()
            assert found == pytest.approx(slow, abs=1e-6)  # a sum of float32s below 3
    for name in ("net.weight", "net.bias", "net_two.weight", "slow_two.weight"):
        assert torch.equal(weights[name], before[name])


def test_the_gap_to_a_module_that_stands_still_shrinks_by_the_momentum() -> None:
    weights = {"net.w": torch.ones(1), "slow.w": torch.zeros(1)}
    for _ in range(20):
        follow(weights, {"slow": "net"}, 0.9)
    assert weights["slow.w"].item() == pytest.approx(1 - 0.9**20)


@pytest.mark.parametrize(("momentum", "end"), [(1.0, 0.0), (0.0, 5.0)])
def test_at_1_it_stands_still_and_at_0_it_is_the_module(momentum, end) -> None:
    weights = {"net.w": torch.tensor([5.0]), "slow.w": torch.tensor([0.0])}
    follow(weights, {"slow": "net"}, momentum)
    assert weights["slow.w"].item() == end


def test_what_cannot_be_followed_is_an_error() -> None:
    weights = {"net.w": torch.ones(1), "slow.w": torch.ones(1)}
    with pytest.raises(ValueError, match="no weights of"):
        follow(weights, {"slowly": "net"}, 0.9)
    for momentum in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="no share of the old weights"):
            follow(weights, {"slow": "net"}, momentum)
        with pytest.raises(ValueError, match="no share of the old weights"):
            check_momentum(momentum)


class Noise(Dataset):
    version = 1
    channels, image_size, levels, num_classes = 1, 8, (), None

    def sample(self, n, generator):
        return Batch(torch.randn(n, 1, 8, 8, generator=generator))

    def redraw(self, batch, generator):
        noise = torch.randn(batch.images.shape, generator=generator)
        return Batch(batch.images + noise)


def step(weights: dict[str, Tensor], gradients: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, gradient in gradients.items():
            weights[name] -= 0.1 * gradient


@pytest.mark.parametrize("name", [m for m in METHODS if m != "simsiam"])
def test_lightnings_step_moves_the_copy_and_no_gradient_reaches_it(name: str) -> None:
    world = Noise()
    method = registry.load("methods", name)(world, rng(), **SMALL, momentum=0.0)
    copies = {n for n in dict(method.named_parameters()) if n.startswith("momentum_")}
    assert copies
    loss = method.loss(world.sample(6, rng()), rng())
    loss.backward()
    weights = dict(method.named_parameters())
    assert all(weights[n].grad is None for n in copies)
    step(weights, {n: w.grad for n, w in weights.items() if w.grad is not None})
    method.follow(weights, 0)
    for n in copies:
        assert torch.equal(weights[n], weights[n.removeprefix("momentum_")])


class Pair(nn.Module):
    """A module, and a copy of it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 2)
        self.slow = frozen_copy(self.net)

    def step(self, kind: str) -> None:
        self.net(torch.ones(1, 3).to(self.net.weight)).sum().backward()
        fused = {"fused": True} if kind == "fused" else {}
        sort = torch.optim.SGD if kind == "sgd" else torch.optim.AdamW
        sort(self.net.parameters(), lr=0.1, **fused).step()

    def follow(self) -> None:
        follow(dict(self.named_parameters()), {"slow": "net"}, 0.9)


OPTIMISERS = pytest.mark.parametrize("kind", ["sgd", "adamw", "fused"])


@OPTIMISERS
def test_a_copy_that_never_follows_is_noticed_once_after_the_first_step(kind) -> None:
    pair, notice = Pair(), LeftBehind()
    # A loss twice on the same weights, as when gradients are accumulated.
    assert [notice(pair), notice(pair)] == [False, False]
    found = []
    for _ in range(3):
        pair.step(kind)
        found.append(notice(pair))
    assert found == [True, False, False]


@OPTIMISERS
def test_a_copy_that_follows_is_never_noticed(kind) -> None:
    pair, notice = Pair(), LeftBehind()
    for _ in range(3):
        assert not notice(pair)
        pair.step(kind)
        pair.follow()


def test_weights_are_not_looked_at_once_a_copy_has_moved(monkeypatch) -> None:
    pair, notice = Pair(), LeftBehind()
    notice(pair)
    pair.step("fused")
    pair.follow()
    notice(pair)

    def look(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(pair, "parameters", look)
    pair.step("fused")
    assert not notice(pair)


def test_weights_that_were_cast_have_not_moved() -> None:
    pair, notice = Pair(), LeftBehind()
    notice(pair)
    assert not notice(pair.double())
    pair.step("fused")
    assert notice(pair)
