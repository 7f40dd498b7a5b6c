"""Tokens are those of the nearest centres, and what is merged is what was said."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.identity import Identity
from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.methods.cluster_mim import FINE, ClusterMIM
from mae_bench.models.vit import patchify


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> ClusterMIM:
    return ClusterMIM(GaussianTree(rng()), rng(1), **settings)


def test_a_patch_has_the_token_of_its_nearest_centre():
    method = built(vocabulary=5)
    batch = method.dataset.sample(20, rng(2))
    patches = patchify(batch.images, 2)
    far = torch.cdist(patches, method.centres.expand(20, -1, -1))
    assert torch.equal(method.tokenise(batch), far.argmin(2))
    assert len(method.tokenise(batch).unique()) == 5


def test_mixed_tokens_are_as_many_clusters_each_dealt_at_random():
    method = built(tokens="mixed", vocabulary=16)
    assert torch.equal(method.token_of.bincount(), torch.full((16,), FINE // 16))
    assert not torch.equal(method.token_of, torch.arange(FINE) % 16)


def test_aligned_tokens_tell_more_of_the_class_than_mixed_ones():
    world = Digits(rng())
    batch = world.sample(1500, rng(3))
    sure = {}
    for tokens in ("mixed", "aligned"):
        method = ClusterMIM(
            world, rng(1), tokens=tokens, vocabulary=8, patch_size=4, mask_ratio=0.5
        )
        found = method.tokenise(batch)
        joint = torch.zeros(8, 10).double()
        labels = batch.labels[:, None].expand_as(found)
        joint.index_put_((found, labels), torch.ones(()).double(), accumulate=True)
        share = joint / joint.sum(1, keepdim=True)
        sure[tokens] = (joint.sum(1) * share.square().sum(1)).sum() / joint.sum()
    assert sure["aligned"] > sure["mixed"] + 0.1


def test_of_classes_the_token_is_the_images_label():
    method = built(tokens="classes")
    batch = method.dataset.sample(6, rng(2))
    assert torch.equal(method.tokenise(batch)[:, 3], batch.labels)
    assert method.vocabulary == method.dataset.num_classes


def test_the_loss_is_the_cross_entropy_of_masked_patches_alone():
    method = built(vocabulary=4)
    batch = method.dataset.sample(6, rng(2))
    images, masking, asked = method.prepare(batch, rng(3))
    tokens = method.encoder(images, masking.ids_keep)
    logits = method.decoder(tokens, masking.ids_keep, masking.ids_masked)
    all_tokens, total = method.tokenise(batch), 0.0
    for i in range(6):
        for j, patch in enumerate(masking.ids_masked[i].tolist()):
            total -= logits[i, j].log_softmax(0)[all_tokens[i, patch]].item()
    loss = method((images, masking, asked)).item()
    assert loss == pytest.approx(total / asked.numel(), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": "words"}, "tokens is 'words'"),
        ({"vocabulary": 1}, r"vocabulary is 1; choose in 2\.\.128"),
        ({"vocabulary": 129}, "vocabulary is 129"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        built(**settings)


@pytest.mark.parametrize("world", [Identity, OUMixing])
def test_classes_that_are_not_known_are_no_tokens(world):
    dataset = world(rng())
    if dataset.num_classes is None:
        with pytest.raises(ValueError, match="this world has no classes"):
            ClusterMIM(dataset, rng(), tokens="classes", patch_size=1)
