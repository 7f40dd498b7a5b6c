"""Known errors of known images: the order is found, and scale does not pass for it."""

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.rank_tail import rank_tail, tail_energy
from mae_bench.models.vit import patchify, unpatchify


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Truncating(MAE):
    """Predicts each patch but for its image's energy beyond rank 2, or worse."""

    def reconstruct(self, batch, generator):
        masking = self.masking(len(batch), generator)
        patches = patchify(batch.images, 2)
        U, S, V = torch.linalg.svd(patches, full_matrices=False)
        S[:, 2:] = 0
        low = Batch(unpatchify((U * S[:, None]) @ V, 2))
        target = self.target(batch.images, masking)
        return self.target(low.images, masking), target, masking


class Careless(MAE):
    """Loses a share of each image that is drawn, whatever its rank."""

    def reconstruct(self, batch, generator):
        masking = self.masking(len(batch), generator)
        target = self.target(batch.images, masking)
        kept = torch.rand(len(batch), 1, 1, generator=rng(7))
        return kept * target, target, masking


class Blurred(MAE):
    """Errs by as much in every image."""

    def reconstruct(self, batch, generator):
        masking = self.masking(len(batch), generator)
        target = self.target(batch.images, masking)
        return target + 0.1, target, masking


@pytest.fixture
def world():
    return GaussianTree(rng())


def found(method, world, images=None):
    batch = world.sample(200, rng(1)) if images is None else Batch(images)
    with torch.inference_mode():
        return rank_tail(method, world, batch, rng(2))


def test_the_tail_is_what_a_truncated_svd_loses():
    patches = torch.randn(5, 16, 4, generator=rng())
    U, S, V = torch.linalg.svd(patches.double(), full_matrices=False)
    energy, share = tail_energy(patches, 3)
    for n in range(5):
        low = U[n, :, :3] @ torch.diag(S[n, :3]) @ V[n, :3]
        lost = (patches[n] - low).square().sum()
        assert energy[n].item() == pytest.approx(float(lost))
        whole = patches[n].square().sum()
        assert share[n].item() == pytest.approx(float(lost / whole), rel=1e-5)


def test_a_method_that_truncates_the_rank_errs_as_the_tail_says(world):
    values = found(Truncating(world, rng(), mask_ratio=0.9), world)
    assert values["share"] > 0.8
    assert values["energy"] > 0.8


def test_scale_passes_for_rank_in_energy_but_not_in_share(world):
    images = torch.randn(200, 1, 8, 8, generator=rng(1))
    images = images * torch.linspace(1, 5, 200).view(-1, 1, 1, 1)
    values = found(Careless(world, rng()), world, images)
    assert values["energy"] > 0.3
    assert abs(values["share"]) < 0.15


def test_the_known_lie_an_error_of_one_size_passes_for_rank_in_faint_images(world):
    line = torch.randn(200, 1, 8, 1, generator=rng(1)).expand(-1, -1, -1, 8)
    images = line + 0.1 * torch.randn(200, 1, 8, 8, generator=rng(2))
    assert found(Blurred(world, rng()), world, images)["share"] > 0.3


def test_the_order_of_images_does_not_matter(world):
    images = world.sample(200, rng(1)).images
    # A fixed mask, or an image would meet another one.
    method = MAE(world, rng(), mask_family="left")
    values = found(method, world, images)
    assert found(method, world, images.flip(0)) == pytest.approx(values)


def test_what_does_not_reconstruct_or_has_no_rank_is_skipped(world):
    with pytest.raises(Skip, match="RandomInit does not reconstruct"):
        found(RandomInit(world, rng()), world)
    with pytest.raises(Skip, match="no tail"):
        found(MAE(world, rng(), patch_size=1), world)
