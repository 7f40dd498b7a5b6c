import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.mnist import MNIST
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.mae import MAE
from mae_bench.methods.moco_v3 import MoCoV3
from mae_bench.methods.r2_mae import R2MAE
from mae_bench.methods.simclr import SimCLR
from mae_bench.metrics.training_flops import training_flops

N, D, E = 8, 32, 16


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def counted(kind: type, world: type = GaussianTree, n: int = N, **settings) -> dict:
    dataset = world(stream())
    method = kind(dataset, stream(), **settings)
    return training_flops(method, dataset.sample(n, stream()), stream())


def block(asking: int, read: int, d: int) -> int:
    """Forward pass of one image: what asks has queries, what is read keys and values.

    Of the MLP, 4 d wide, 16 d² a token that asks; of the attention's two products,
    scores and weighted values, 2 d each a pair of tokens.
    """
    return (
        2 * d * d * (2 * asking + 2 * read) + 4 * d * asking * read + 16 * asking * d**2
    )


@pytest.mark.parametrize(("depth", "decoder_depth"), [(1, 1), (3, 2)])
def test_mae_costs_what_a_count_by_hand_says(depth: int, decoder_depth: int) -> None:
    found = counted(
        MAE,
        patch_size=2,
        embed_dim=D,
        depth=depth,
        decoder_embed_dim=E,
        decoder_depth=decoder_depth,
        mask_ratio=0.75,
        steps=100,
        stop=0.5,
    )
    visible, masked, p = 4, 12, 4
    t = 1 + visible
    embedding = 2 * visible * p * D
    encoder = depth * block(t, t, D)
    whole = t + masked
    decoder = (
        2 * t * D * E
        + (decoder_depth - 1) * block(whole, whole, E)
        + block(masked, whole, E)  # visible tokens do not ask in the last block
        + 2 * masked * E * p
    )
    # Each product has two of its size going back, but pixels need no gradient.
    assert found["step"] == N * (2 * embedding + 3 * (encoder + decoder))
    assert found["run"] == 50 * found["step"]


def test_an_encoder_that_sees_the_whole_image_costs_more() -> None:
    assert counted(Autoencoder)["step"] > 1.5 * counted(MAE)["step"]


def test_at_49_patches_two_whole_views_cost_three_times_a_masked_one() -> None:
    sizes = {"patch_size": 4, "n": 64}
    ratio = (
        counted(SimCLR, MNIST, **sizes)["step"] / counted(MAE, MNIST, **sizes)["step"]
    )
    assert ratio == pytest.approx(3.23, abs=0.01)


def test_frozen_weights_have_no_backward_pass() -> None:
    # Sixteen patches of two views, and nothing but the patches' embedding.
    saved = 2 * N * 16 * 4 * D
    costs = [
        counted(MoCoV3, frozen_patch_embed=frozen)["step"] for frozen in (True, False)
    ]
    assert costs[1] - costs[0] == 2 * saved


def test_where_the_number_of_patches_is_drawn_it_is_the_mean() -> None:
    ends = [counted(MAE, mask_ratio=ratio)["step"] for ratio in (0.9, 0.6)]
    assert ends[0] < counted(R2MAE)["step"] < ends[1]
    assert counted(R2MAE)["step"] not in {
        counted(MAE, mask_ratio=m / 16)["step"] for m in range(8, 16)
    }


def test_it_is_proportional_to_the_images_and_counts_no_image_twice() -> None:
    assert counted(MAE, n=2 * N)["step"] == 2 * counted(MAE)["step"]
