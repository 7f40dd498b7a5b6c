"""LeJEPA of a ViT: its two terms by loops, its views, its projector."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.lejepa import sigreg
from mae_bench.methods.lejepa_vit import LeJEPAViT
from mae_bench.models.augmentation import crops

SMALL: dict[str, Any] = {"embed_dim": 8, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_terms(z: Tensor, directions: Tensor) -> tuple[float, float]:
    """Distance from the views' mean, a coordinate; SIGReg of a view, by loops."""
    v, n, k = z.shape
    apart, gaussian = 0.0, 0.0
    for i in range(n):
        for j in range(k):
            column = z[:, i, j].tolist()
            mean = sum(column) / v
            apart += sum((x - mean) ** 2 for x in column) / (v * n * k)
    for view in z:
        for a in directions:
            at = [float(x @ a / a.norm()) for x in view]
            for knot in range(17):
                t = 3 * knot / 16
                gauss = math.exp(-t * t / 2)
                error = (sum(math.cos(t * x) for x in at) / n - gauss) ** 2
                error += (sum(math.sin(t * x) for x in at) / n) ** 2
                width = 2 * 3 / 16 * (0.5 if knot in (0, 16) else 1.0)
                gaussian += n * width * gauss * error / (v * len(directions))
    return apart, gaussian


def test_the_loss_is_the_loops(stripes: Dataset) -> None:
    z = torch.randn(3, 5, 2, generator=rng(), dtype=torch.float64)
    directions = torch.randn(4, 2, generator=rng(1), dtype=torch.float64)
    apart, gaussian = slow_terms(z, directions)
    found = LeJEPAViT(stripes, rng(), lamb=0.3, **SMALL).compare(z, directions)
    assert found.item() == pytest.approx(0.7 * apart + 0.3 * gaussian)


def test_views_that_agree_cost_sigreg_alone_and_their_order_nothing(
    stripes: Dataset,
) -> None:
    method = LeJEPAViT(stripes, rng(), lamb=0.3, **SMALL)
    z, directions = torch.randn(2, 6, 4, generator=rng())
    same = method.compare(z.expand(3, -1, -1), directions)
    torch.testing.assert_close(same, 0.3 * sigreg(z, directions))
    views = torch.randn(3, 6, 4, generator=rng(1))
    loss = method.compare(views, directions)
    torch.testing.assert_close(method.compare(views[[2, 0, 1]], directions), loss)
    torch.testing.assert_close(
        method.compare(views[:, [5, 1, *range(2, 5), 0]], directions), loss
    )
    # Partners that were never of one image are further apart.
    mixed = torch.stack([views[0], views[1].roll(1, 0), views[2]])
    assert not torch.isclose(method.compare(mixed, directions), loss)


@pytest.mark.parametrize("bottleneck", [0, 3])
def test_all_views_go_through_three_layers_and_two_norms_of_all_rows(
    stripes: Dataset, agree, bottleneck: int
) -> None:
    method = LeJEPAViT(stripes, rng(), views=3, bottleneck=bottleneck, **SMALL).double()
    drawn = method.prepare(stripes.sample(6, rng(1)), rng(2))
    example = tuple(part.double() for part in drawn)
    *views, directions = example
    assert len(views) == 3

    def plain() -> Tensor:
        h = torch.cat([method.pooled(view) for view in views])
        first, _, last = method.projector
        x = h @ first.hidden.weight.T
        x = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
        x = F.relu(x * first.norm.weight + first.norm.bias) @ first.out.weight.T
        x = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
        z = (F.relu(x) @ last.weight.T + last.bias).view(3, 6, -1)
        return method.compare(z, directions.flatten(0, 1)[:256])

    agree(method, method(example), plain())


@pytest.mark.parametrize(("n", "each"), [(6, 43), (256, 1), (300, 1)])
def test_a_step_has_views_that_differ_and_256_directions(
    stripes: Dataset, n: int, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = LeJEPAViT(stripes, rng(), views=2, projector_dim=5, **SMALL)
    images = stripes.sample(n, rng(1))
    example = method.prepare(images, rng(2))
    one, two, directions = example
    assert one.shape == two.shape == images.images.shape
    assert not torch.equal(one, two)
    assert directions.shape == (n, each, 5)
    seen = []
    monkeypatch.setattr(method, "compare", lambda z, a: seen.append((z, a)) or z.mean())
    method(example)
    ((z, shown),) = seen
    assert z.shape == (2, n, 5)
    assert torch.equal(shown, directions.flatten(0, 1)[:256])


def test_views_are_coloured_crops_of_the_share_that_was_given(stripes: Dataset) -> None:
    images = torch.rand(4, 3, 8, 8, generator=rng())
    method = LeJEPAViT(stripes, rng(), views=2, crops=0.3, **SMALL)
    *found, _ = method.prepare(Batch(images), rng(2))
    again = rng(2)
    for view in found:
        assert torch.equal(view, crops(images, again, 0.3, colours=True))


def test_it_learns_to_agree_without_collapse(stripes: Dataset, train) -> None:
    short = {"steps": 40, "batch_size": 32, "crops": 0.5}
    method = LeJEPAViT(stripes, rng(), projector_dim=2, **short, **SMALL)
    losses = train(method)
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    z = method.projector(method.pooled(stripes.sample(200, rng(3)).images))
    assert (z.std(0) > 0.3).all()


@pytest.mark.parametrize(
    "bad",
    [
        *({"lamb": 0.0}, {"lamb": 1.0}, {"views": 1}, {"projector_dim": 0}),
        *({"crops": 0.0}, {"crops": 1.1}),
    ],
)
def test_a_setting_outside_its_range_is_refused(
    stripes: Dataset, bad: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"^lamb .*; choose in \(0, 1\), at least 2"):
        LeJEPAViT(stripes, rng(), **bad)
