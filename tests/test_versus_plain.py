"""What is timed against each other does the same."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.plain_mae import PlainMAE
from benchmarks.versus_plain import SIZES, Still, compare, ours
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import Masking


@pytest.mark.parametrize("decoder_depth", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_ours_and_the_plain_mae_have_one_loss_and_one_gradient(
    decoder_depth: int, channels: int
) -> None:
    size = SIZES["S"]
    networks = size.networks | {"decoder_depth": decoder_depth}
    world = Still(size, "cpu")
    world.channels = channels
    method = MAE(world, torch.Generator().manual_seed(1), **networks)
    plain = PlainMAE(image_size=8, channels=channels, **networks)
    plain.wear(method)
    method, plain = method.double(), plain.double()
    stream = torch.Generator().manual_seed(2)
    images = torch.randn(16, channels, 8, 8, generator=stream).double()
    noise = torch.rand(16, 16, generator=stream)
    ids = noise.argsort(1)
    mine = method((images, images, Masking(ids[:, :4], ids[:, 4:])))
    theirs = plain(images, noise, 4)
    assert abs(mine.item() - theirs.item()) < 1e-9
    mine.backward()
    theirs.backward()
    pairs = [
        (method.encoder.blocks[0].attn.qkv.weight, plain.blocks[0].qkv.weight),
        (method.encoder.patch_embed.bias, plain.patch_embed.bias),
        (method.encoder.cls_token, plain.cls_token),
        (method.decoder.mask_token, plain.mask_token),
        (method.decoder.pred.weight, plain.decoder_pred.weight),
        (method.decoder.blocks[0].mlp[0].weight, plain.decoder_blocks[0].fc1.weight),
    ]
    for one, two in pairs:
        assert one.grad.abs().max() > 0
        torch.testing.assert_close(one.grad, two.grad.view_as(one), rtol=0, atol=1e-9)


def test_a_round_trains_for_as_many_steps_as_it_says() -> None:
    small = replace(SIZES["S"], batch_size=4)
    for kind in ({}, {"lightning": True}, {"members": 2}):
        taken = 0

        def count(*_: object) -> None:
            nonlocal taken
            taken += 1

        hook = register_optimizer_step_post_hook(count)
        run = ours(small, "cpu", **kind)
        run(1)
        run(11)
        hook.remove()
        assert taken == 12, kind


def test_the_table_has_a_row_a_variant_and_the_plain_model_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = replace(SIZES["S"], batch_size=4, steps=2)
    monkeypatch.setitem(SIZES, "S", small)
    found = compare("S", "cpu", 2, compiled=False, members=2)
    rows = pd.DataFrame(found).set_index("variant")
    names = ["plain", "again", "ours", "ours, Lightning", "ensemble of 2"]
    assert rows.index.tolist() == names
    assert rows.loc["plain", "ratio_to_plain"] == 1
    assert (rows["ms_a_step"] > 0).all()
    assert (rows["share_of_peak"] < 1).all()
    # Visible patches alone are embedded, and masked ones alone predicted.
    assert rows.loc["ours", "gigaflop_a_step"] < rows.loc["plain", "gigaflop_a_step"]
