"""R²MAE: ratios are uniform in training, and MAE's wherever it is measured."""

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.methods.r2_mae import R2MAE

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16}


class Ramps(Dataset):
    """Images of rank two, which a visible corner determines."""

    version = 1
    channels = 1
    image_size = 8
    levels = ()
    num_classes = None

    def sample(self, n, generator):
        slope = torch.randn(n, 1, 2, 1, generator=generator)
        line = torch.linspace(-1, 1, 8)
        return Batch(slope[:, :, :1] * line + slope[:, :, 1:] * line[:, None])


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def r2_mae(**settings) -> R2MAE:
    return R2MAE(Ramps(), stream(), **{**SMALL, **settings})


def batch(n: int = 4) -> Batch:
    return Ramps().sample(n, stream(1))


def test_the_counts_of_many_steps_are_those_of_uniform_ratios():
    method, noise, data = r2_mae(), stream(2), batch(1)
    steps = 2000
    counts = [method.prepare(data, noise)[2].ids_keep.shape[1] for _ in range(steps)]
    # k of 16 patches stay if 16 (1 - p) is in [k, k + 1), and that is in [1.6, 6.4].
    for k in range(1, 7):
        share = (min(k + 1, 6.4) - max(k, 1.6)) / 4.8
        error = 4 * (share * (1 - share) / steps) ** 0.5
        assert counts.count(k) / steps == pytest.approx(share, abs=error)
    assert set(counts) == set(range(1, 7))


def test_all_images_of_a_step_share_the_count_and_not_the_mask():
    images, seen, masking = r2_mae().prepare(batch(8), stream(2))
    assert seen is images
    assert masking.mask.sum(1).unique().numel() == 1
    assert masking.mask.unique(dim=0).shape[0] > 1
    ids = torch.cat([masking.ids_keep, masking.ids_masked], 1).sort(1).values
    assert torch.equal(ids, torch.arange(16).expand(8, -1))


def test_of_large_units_whole_ones_are_masked():
    method = r2_mae(mask_unit=4, mask_ratio_min=0.3, mask_ratio_max=0.7)
    noise = stream(2)
    found = set()
    for _ in range(50):
        mask = method.prepare(batch(3), noise)[2].mask.view(3, 2, 2, 2, 2)
        assert (mask == mask[:, :, :1, :, :1]).all()
        found.add(int(mask[0].sum()))
    assert found == {8, 12}


def test_at_one_ratio_the_loss_and_its_gradients_are_maes_on_the_same_masks():
    method = r2_mae(mask_ratio_min=0.5, mask_ratio_max=0.5)
    plain, noise = MAE(Ramps(), stream(), mask_ratio=0.5, **SMALL), stream(2)
    torch.rand((), generator=noise)  # the draw of the ratio
    ours, theirs = method.loss(batch(), stream(2)), plain.loss(batch(), noise)
    assert torch.equal(ours, theirs)
    ours.backward()
    theirs.backward()
    for one, two in zip(method.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)


@pytest.mark.parametrize("norm_pix_loss", [False, True])
def test_where_it_is_measured_it_is_mae_of_its_mask_ratio(norm_pix_loss):
    settings = {**SMALL, "mask_ratio": 0.8, "norm_pix_loss": norm_pix_loss}
    method, plain = r2_mae(**settings), MAE(Ramps(), stream(), **settings)
    ours = method.reconstruct(batch(), stream(2))
    theirs = plain.reconstruct(batch(), stream(2))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])
    for found in (ours[2], method.masking(4, stream(2))):
        assert torch.equal(found.ids_keep, theirs[2].ids_keep)


def test_it_learns_to_continue_a_ramp_at_every_ratio_and_does_not_collapse():
    method = r2_mae(mask_ratio_min=0.3, mask_ratio_max=0.8, steps=100)

    def errors() -> list[float]:
        data = method.dataset.sample(200, stream(9))
        found = []
        for ratio in (0.3, 0.55, 0.8):
            masking = method.masking_at(200, ratio, stream(10))
            with torch.no_grad():
                found.append(method((data.images, data.images, masking)).item())
        return found

    before = errors()
    (optimizer,), (schedule,) = method.configure_optimizers()
    data, noise = stream(1), stream(2)
    for _ in range(method.steps):
        loss = method.loss(method.dataset.sample(32, data), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule["scheduler"].step()
    after = errors()
    assert all(b < 0.6 * a for a, b in zip(before, after, strict=True))
    features = method.features(method.dataset.sample(200, data))["mean"]
    assert features.std(0).mean() > 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_ratio_min": 0.9, "mask_ratio_max": 0.6}, "exchange them"),
        ({"mask_ratio_min": 0.0}, r"mask_ratio 0\.0 of 16 units"),
        ({"mask_ratio_max": 0.95}, r"mask_ratio 0\.95 of 16 units leaves 0 visible"),
        ({"mask_family": "grid"}, "'grid' cannot keep 6 of 16 units"),
    ],
)
def test_bad_ranges_are_refused_when_it_is_built(settings, message):
    with pytest.raises(ValueError, match=message):
        r2_mae(**settings)
