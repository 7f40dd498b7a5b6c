"""The pixels are given as they are; the components are scikit-learn's."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.pixels import N_FIT, Pixels


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Skewed(Dataset):
    """Pixels of unequal variance, far from zero."""

    version: ClassVar[int] = 1
    channels, image_size, levels, num_classes = 2, 4, (), None

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        scale = torch.linspace(0.2, 4, 32)
        x = 5 + scale * torch.randn(n, 32, generator=generator)
        return Batch(x.reshape(n, 2, 4, 4))


def test_mean_is_the_image_itself() -> None:
    batch = Skewed().sample(7, rng(1))
    found = Pixels(Skewed(), rng()).features(batch)["mean"]
    assert torch.equal(found, batch.images.reshape(7, 32))


def test_pca_is_scikit_learns_up_to_signs() -> None:
    batch = Skewed().sample(50, rng(1))
    found = Pixels(Skewed(), rng(4), components=6).features(batch)["pca"].numpy()
    seen = Skewed().sample(N_FIT, rng(4)).images.flatten(1).double().numpy()
    wanted = PCA(6, svd_solver="full").fit(seen).transform(batch.images.flatten(1))
    signs = np.sign((found * wanted).sum(0))
    np.testing.assert_allclose(found * signs, wanted, atol=1e-4)


def test_components_are_orthonormal_and_sorted_by_variance() -> None:
    method = Pixels(Skewed(), rng(), components=8)
    gram = method.components @ method.components.T
    torch.testing.assert_close(gram, torch.eye(8), atol=1e-5, rtol=0)
    spread = method.features(Skewed().sample(4000, rng(1)))["pca"].std(0)
    assert (spread[:-1] > spread[1:] - 0.1).all()
    assert spread[0] > 3


def test_an_image_of_few_pixels_gives_all_its_components() -> None:
    batch = Skewed().sample(20, rng(1))
    found = Pixels(Skewed(), rng(), components=99).features(batch)
    assert found["pca"].shape == (20, 32)
    # All of them are a rotation: distances between images are kept.
    torch.testing.assert_close(torch.pdist(found["pca"]), torch.pdist(found["mean"]))


def test_the_fit_travels_with_the_weights() -> None:
    first, second = Pixels(Skewed(), rng(1)), Pixels(Skewed(), rng(2))
    batch = Skewed().sample(5, rng(3))
    assert not torch.equal(first.features(batch)["pca"], second.features(batch)["pca"])
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.features(batch)["pca"], second.features(batch)["pca"])


def test_a_masked_view_is_an_error_that_says_why() -> None:
    batch = Skewed().sample(3, rng())
    with pytest.raises(ValueError, match="no masked view"):
        Pixels(Skewed(), rng()).features(batch, torch.zeros(3, 1, dtype=torch.int64))


@pytest.mark.parametrize("components", [0, -3])
def test_fewer_than_one_component_is_an_error(components: int) -> None:
    with pytest.raises(ValueError, match=f"components {components} must be"):
        Pixels(Skewed(), rng(), components=components)
