"""The projector is the two-layer map it says, with weights from its generator only."""

import pytest
import torch

from mae_bench.models.projector import Projector
from mae_bench.models.standardised_projector import StandardisedProjector


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(seed: int = 0, kind: type[Projector] = Projector) -> Projector:
    return kind(rng(seed), in_dim=5, hidden_dim=7, out_dim=3)


def test_it_is_the_formula_row_by_row() -> None:
    g, h = build(), torch.randn(4, 5, generator=rng(1))
    torch.nn.init.normal_(g.hidden.bias, generator=rng(2))
    torch.nn.init.normal_(g.out.bias, generator=rng(3))
    for row, projected in zip(h, g(h), strict=True):
        hidden = (g.hidden.weight @ row + g.hidden.bias).clamp_min(0)
        torch.testing.assert_close(projected, g.out.weight @ hidden + g.out.bias)


@pytest.mark.parametrize("kind", [Projector, StandardisedProjector])
def test_weights_come_from_the_generator_alone(kind: type[Projector]) -> None:
    torch.manual_seed(1)
    one = build(4, kind).state_dict()
    torch.manual_seed(2)
    same, other = build(4, kind).state_dict(), build(5, kind).state_dict()
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert not torch.equal(one["hidden.weight"], other["hidden.weight"])


def test_its_layers_start_xavier_uniform_without_bias() -> None:
    layer = Projector(rng(), in_dim=200, hidden_dim=100, out_dim=1).hidden
    bound = (6 / 300) ** 0.5
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def test_an_image_is_projected_alike_in_every_batch() -> None:
    g, h = build(), torch.randn(6, 5, generator=rng(1))
    torch.testing.assert_close(g(h)[:2], g(h[:2]))


@pytest.mark.parametrize("widths", [(0, 7, 3), (5, 0, 3), (5, 7, -1)])
def test_a_width_below_one_is_an_error(widths: tuple[int, int, int]) -> None:
    a, b, c = widths
    with pytest.raises(ValueError, match="at least 1"):
        Projector(rng(), in_dim=a, hidden_dim=b, out_dim=c)
