"""The standardised projector is its formula in loops, and remembers no batch."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.models.standardised_projector import StandardisedProjector


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(seed: int = 0, standard_out: bool = False) -> StandardisedProjector:
    net = StandardisedProjector(
        rng(seed), in_dim=5, hidden_dim=7, out_dim=3, standard_out=standard_out
    )
    torch.nn.init.uniform_(net.norm.weight, 0.5, 2, generator=rng(8))
    torch.nn.init.normal_(net.norm.bias, generator=rng(9))
    return net


def rows(n: int = 6, seed: int = 1) -> Tensor:
    return torch.randn(n, 5, generator=rng(seed))


def standard(columns: list[list[float]]) -> list[list[float]]:
    """Each list without its mean, over the root of its variance plus 1e-5."""
    found = []
    for c in columns:
        mean = sum(c) / len(c)
        variance = sum((v - mean) ** 2 for v in c) / len(c)
        found.append([(v - mean) / math.sqrt(variance + 1e-5) for v in c])
    return found


@pytest.mark.parametrize("standard_out", [False, True])
def test_it_is_the_formula_in_loops(standard_out: bool) -> None:
    g, h = build(standard_out=standard_out), rows()
    w1, w2 = g.hidden.weight.tolist(), g.out.weight.tolist()

    def product(w: list[float], x: list[float]) -> float:
        return sum(a * b for a, b in zip(w, x, strict=True))

    hidden = standard([[product(w, x) for x in h.tolist()] for w in w1])
    scale, shift = g.norm.weight.tolist(), g.norm.bias.tolist()
    active = [
        [max(0.0, scale[j] * v + shift[j]) for v in unit]
        for j, unit in enumerate(hidden)
    ]
    images = [list(x) for x in zip(*active, strict=True)]
    out = [[product(w, x) for x in images] for w in w2]
    expected = torch.tensor(standard(out) if standard_out else out).T
    torch.testing.assert_close(g(h), expected, atol=1e-5, rtol=1e-4)


def test_it_is_blind_to_the_place_and_size_of_the_whole_batch() -> None:
    g, h = build(), rows(50)
    moved = 3 * h + torch.randn(5, generator=rng(2))
    torch.testing.assert_close(g(moved), g(h), atol=1e-3, rtol=1e-3)


def test_standardised_projections_have_mean_0_and_variance_1() -> None:
    out = build(standard_out=True)(rows(40))
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        out.var(0, correction=0), torch.ones(3), atol=1e-2, rtol=0
    )


def test_it_remembers_nothing_and_is_the_same_in_evaluation() -> None:
    g, h = build(), rows()
    first = g(h)
    g(rows(seed=5))
    assert torch.equal(g(h), first)
    assert torch.equal(g.eval()(h), first)
    assert not list(g.buffers())


@pytest.mark.parametrize("standard_out", [False, True])
def test_every_weight_that_it_has_counts(standard_out: bool) -> None:
    g = build(standard_out=standard_out)
    target = torch.randn(6, 3, generator=rng(4))
    (g(rows()) - target).square().sum().backward()
    for name, weight in g.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 1e-4, name


def test_one_row_has_no_spread_to_be_measured_by() -> None:
    with pytest.raises(ValueError, match="more than 1 value"):
        build()(rows(1))


def test_a_width_below_1_is_an_error() -> None:
    with pytest.raises(ValueError, match="must all be at least 1"):
        StandardisedProjector(rng(), in_dim=3, hidden_dim=0, out_dim=2)
