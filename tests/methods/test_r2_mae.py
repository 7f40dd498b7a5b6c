"""R²MAE: ratios are uniform in training, and MAE's wherever it is measured."""

from collections.abc import Callable

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.methods.r2_mae import R2MAE

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def make(ramps: Dataset) -> Callable[..., R2MAE]:
    return lambda **settings: R2MAE(ramps, stream(), **SMALL | settings)


@pytest.fixture
def data(ramps: Dataset) -> Batch:
    return ramps.sample(8, stream(1))


def test_the_counts_of_many_steps_are_those_of_uniform_ratios(make, data):
    method, noise, one = make(), stream(2), data.rows(slice(1))
    steps = 2000
    counts = [method.prepare(one, noise)[2].ids_keep.shape[1] for _ in range(steps)]
    # k of 16 patches stay if 16 (1 - p) is in [k, k + 1), and that is in [1.6, 6.4].
    for k in range(1, 7):
        share = (min(k + 1, 6.4) - max(k, 1.6)) / 4.8
        error = 4 * (share * (1 - share) / steps) ** 0.5
        assert counts.count(k) / steps == pytest.approx(share, abs=error)
    assert set(counts) == set(range(1, 7))


def test_all_images_of_a_step_share_the_count_and_not_the_mask(make, data):
    images, seen, masking = make().prepare(data, stream(2))
    assert seen is images
    assert masking.mask.sum(1).unique().numel() == 1
    assert masking.mask.unique(dim=0).shape[0] > 1
    ids = torch.cat([masking.ids_keep, masking.ids_masked], 1).sort(1).values
    assert torch.equal(ids, torch.arange(16).expand(8, -1))


def test_of_large_units_whole_ones_are_masked(make, data):
    method = make(mask_unit=4, mask_ratio_min=0.3, mask_ratio_max=0.7)
    noise = stream(2)
    found = set()
    for _ in range(50):
        mask = method.prepare(data, noise)[2].mask.view(8, 2, 2, 2, 2)
        assert (mask == mask[:, :, :1, :, :1]).all()
        found.add(int(mask[0].sum()))
    assert found == {8, 12}


def test_at_one_ratio_the_loss_and_its_gradients_are_maes_on_the_same_masks(
    make, ramps, data
):
    method = make(mask_ratio_min=0.5, mask_ratio_max=0.5)
    plain, noise = MAE(ramps, stream(), mask_ratio=0.5, **SMALL), stream(2)
    torch.rand((), generator=noise)  # the draw of the ratio
    ours, theirs = method.loss(data, stream(2)), plain.loss(data, noise)
    assert torch.equal(ours, theirs)
    ours.backward()
    theirs.backward()
    for one, two in zip(method.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)


@pytest.mark.parametrize("norm_pix_loss", [False, True])
def test_where_it_is_measured_it_is_mae_of_its_mask_ratio(
    norm_pix_loss, make, ramps, data
):
    settings = {**SMALL, "mask_ratio": 0.8, "norm_pix_loss": norm_pix_loss}
    method, plain = make(**settings), MAE(ramps, stream(), **settings)
    ours, theirs = (m.reconstruct(data, stream(2)) for m in (method, plain))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])
    for found in (ours[2], method.masking(8, stream(2))):
        assert torch.equal(found.ids_keep, theirs[2].ids_keep)


def test_it_learns_to_continue_a_ramp_at_every_ratio(make, ramps, train):
    method = make(mask_ratio_min=0.3, mask_ratio_max=0.8, steps=100, batch_size=32)
    data = ramps.sample(200, stream(9))

    def errors() -> list[float]:
        found = []
        for ratio in (0.3, 0.55, 0.8):
            masking = method.masking_at(200, ratio, stream(10))
            with torch.no_grad():
                found.append(method((data.images, data.images, masking)).item())
        return found

    before = errors()
    train(method)
    assert all(b < 0.6 * a for a, b in zip(before, errors(), strict=True))
    assert method.features(data)["mean"].std(0).mean() > 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_ratio_min": 0.9, "mask_ratio_max": 0.6}, "exchange them"),
        ({"mask_ratio_min": 0.0}, r"mask_ratio 0\.0 of 16 units"),
        ({"mask_ratio_max": 0.95}, r"mask_ratio 0\.95 of 16 units leaves 0 visible"),
        ({"mask_family": "grid"}, "'grid' cannot keep 6 of 16 units"),
    ],
)
def test_bad_ranges_are_refused_when_it_is_built(settings, message, make):
    with pytest.raises(ValueError, match=message):
        make(**settings)
