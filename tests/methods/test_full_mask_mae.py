"""Of a share of the images all is masked; the rest is MAE's."""

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.full_mask_mae import FullMaskMAE, unseen
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16, "mask_ratio": 0.5}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_loss_is_maes_of_the_rest_and_the_error_of_nothing_seen(ramps: Dataset):
    method = FullMaskMAE(ramps, rng(), full_masks=0.25, **SMALL)
    plain, data = MAE(ramps, rng(), **SMALL), ramps.sample(8, rng(1))
    masking = plain.masking(8, rng(2))
    rest = Masking(masking.ids_keep[2:], masking.ids_masked[2:])
    images = data.images
    partly = plain((images[2:], images[2:], rest))
    # Every masked image is decoded, none the wiser for the others.
    every = torch.arange(16).expand(2, -1)
    none = Masking(every[:, :0], every)
    wholly = plain((images[:2], images[:2], none))
    found = method.loss(data, rng(2))
    torch.testing.assert_close(found, 0.75 * partly + 0.25 * wholly)


def test_what_is_predicted_of_nothing_depends_on_no_image(ramps: Dataset):
    method = FullMaskMAE(ramps, rng(), **SMALL)
    every = torch.arange(16).expand(3, -1)
    masking, images = Masking(every[:, :0], every), ramps.sample(3, rng(1)).images
    with torch.no_grad():
        tokens = method.forward_encoder(images, masking)
        each = method.forward_decoder(tokens, masking)
        found = unseen(method, images)
    torch.testing.assert_close(each, found.expand(3, -1, -1))


def test_it_learns_the_mean_image_that_mae_is_never_asked_for(ramps: Dataset, train):
    class Lifted(type(ramps)):  # type: ignore[misc]
        def sample(self, n, generator):
            batch = super().sample(n, generator)
            return type(batch)(batch.images + 2)

    method = FullMaskMAE(Lifted(), rng(), steps=60, batch_size=32, **SMALL)
    train(method)
    with torch.no_grad():
        assert (unseen(method, ramps.sample(1, rng()).images) - 2).abs().mean() < 0.5


def test_where_it_is_measured_it_is_mae(ramps: Dataset):
    ours, theirs = (kind(ramps, rng(), **SMALL) for kind in (FullMaskMAE, MAE))
    data = ramps.sample(4, rng(1))
    for one, two in zip(
        ours.reconstruct(data, rng(2))[:2],
        theirs.reconstruct(data, rng(2))[:2],
        strict=True,
    ):
        assert torch.equal(one, two)
    patches = patchify(data.images, 2)
    assert ours.reconstruct(data, rng(2))[1].shape[2] == patches.shape[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"full_masks": 0.0}, r"full_masks is 0\.0; choose in"),
        ({"full_masks": 1.0}, r"full_masks is 1\.0; choose in"),
        ({"bottleneck": 3}, "bottleneck is 3, and of nothing visible"),
        ({"full_masks": 0.001}, r"full_masks 0\.001 of batch_size 64 leaves no image"),
    ],
)
def test_a_share_that_cannot_be_is_named(settings, message, ramps: Dataset):
    with pytest.raises(ValueError, match=message):
        FullMaskMAE(ramps, rng(), **SMALL, **settings)
