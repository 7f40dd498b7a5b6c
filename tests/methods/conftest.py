"""The small worlds that methods are tested on, and a training run."""

from collections.abc import Callable

import pytest
import torch
from jaxtyping import config
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method

Train = Callable[[Method], list[float]]


class Stripes(Dataset):
    """Noisy columns of one of four profiles: the profile is the content."""

    version = 1
    channels, image_size, levels, num_classes = 1, 8, (), 4
    profiles = torch.randn(4, 1, 1, 8, generator=torch.Generator().manual_seed(7))

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        return self.paint(torch.randint(4, (n,), generator=generator), generator)

    def paint(self, labels: Tensor, generator: torch.Generator) -> Batch:
        noise = torch.randn(len(labels), 1, 8, 8, generator=generator)
        return Batch(self.profiles[labels] + noise, labels=labels)


class Redrawn(Stripes):
    """Stripes of which an image can be drawn again, with other noise."""

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        assert batch.labels is not None
        return self.paint(batch.labels, generator)


class Ramps(Dataset):
    """Images of rank two, which a visible corner determines."""

    version = 1
    channels, image_size, levels, num_classes = 1, 8, (), None

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        across, down = torch.randn(2, n, 1, 1, 1, generator=generator)
        line = torch.linspace(-1, 1, 8)
        return Batch(across * line + down * line[:, None])


@pytest.fixture
def stripes() -> Dataset:
    return Stripes()


@pytest.fixture
def redrawn() -> Dataset:
    return Redrawn()


@pytest.fixture
def ramps() -> Dataset:
    return Ramps()


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Train:
    """All steps of a training run; gives their losses."""

    def fit(method: Method) -> list[float]:
        (optimizer,), (schedule,) = method.configure_optimizers()
        data, noise = (torch.Generator().manual_seed(seed) for seed in (1, 2))
        weights, losses = dict(method.named_parameters()), []
        for step in range(method.steps):
            batch = method.dataset.sample(method.batch_size, data)
            loss = method.loss(batch, noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            method.follow(weights, step)
            schedule["scheduler"].step()
            losses.append(loss.item())
            # The shapes of the other steps are those of the first.
            monkeypatch.setattr(config, "jaxtyping_disable", True)
        monkeypatch.setattr(config, "jaxtyping_disable", False)
        return losses

    return fit


@pytest.fixture
def content() -> Callable[[Tensor, Tensor], float]:
    """Share of the features' variance that lies between the classes."""

    def between(h: Tensor, labels: Tensor) -> float:
        h = h - h.mean(0)
        centres = torch.stack([h[labels == k].mean(0) for k in labels.unique()])
        return (centres[labels].square().sum() / h.square().sum()).item()

    return between


@pytest.fixture
def spread() -> Callable[[Tensor], float]:
    """Deviation of vectors of unit length; 1 if they point everywhere."""

    def deviation(z: Tensor) -> float:
        return F.normalize(z, dim=1).std(0).mean().item() * z.shape[1] ** 0.5

    return deviation


@pytest.fixture
def pairs() -> Callable[[int, int], tuple[Tensor, Tensor]]:
    """Two views' projections [n, d], which have nothing to do with each other."""

    def draw(n: int, d: int) -> tuple[Tensor, Tensor]:
        seeded = torch.Generator().manual_seed(0)
        z = torch.randn(2, n, d, generator=seeded, dtype=torch.float64)
        return z[0], z[1]

    return draw


@pytest.fixture
def agree() -> Callable[[Method, Tensor, Tensor], None]:
    """Two losses of the same weights are equal, and so are their gradients."""

    def check(method: Method, one: Tensor, two: Tensor) -> None:
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
        named = {n: w for n, w in method.named_parameters() if w.requires_grad}
        ours, theirs = (
            torch.autograd.grad(loss, named.values()) for loss in (one, two)
        )
        for name, a, b in zip(named, ours, theirs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4, msg=name)

    return check
