import re

import pytest
import torch
from torch import Tensor

from mae_bench.encoders.facts import Facts
from mae_bench.encoders.layouts import BadCheckpoint, recognise
from mae_bench.encoders.names import check_shapes, in_maes_names, mae_keys
from mae_bench.models.vit import ViT
from tests.encoders.test_layouts import HF

BLOCK = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
D = 8


def named(*keys: str) -> dict[str, Tensor]:
    """Tensors of one number each, which is where the key stands in the list."""
    state = {key: torch.tensor([float(i)]) for i, key in enumerate(keys)}
    for key in state:
        if key.endswith(("pos_embed", "position_embeddings")):
            state[key] = torch.ones(1, 5, 1)
    return state


def full(depth: int = 2) -> dict[str, Tensor]:
    """A timm ViT of right shapes and random numbers."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"cls_token": [1, 1, D], "pos_embed": [1, 5, D], "norm.weight": [D]}
    shapes |= {"norm.bias": [D], "patch_embed.proj.weight": [D, 3, 2, 2]}
    shapes |= {"patch_embed.proj.bias": [D]}
    sides = ([D], [3 * D, D], [D, D], [D], [4 * D, D], [D, 4 * D])
    for i in range(depth):
        for part, shape in zip(BLOCK, sides, strict=True):
            shapes[f"blocks.{i}.{part}.weight"] = shape
            shapes[f"blocks.{i}.{part}.bias"] = shape[:1]
    return {k: torch.randn(s, generator=generator) for k, s in shapes.items()}


def test_maes_keys_are_in_the_released_order():
    root = ("cls_token", "pos_embed", "mask_token", "decoder_pos_embed")
    assert mae_keys(2, 1)[:4] == root
    assert mae_keys(2, 1)[-1] == "decoder_pred.bias"
    assert set(mae_keys(2)) == set(full())
    assert len(mae_keys(1, 1)) == 18 + 20


def test_queries_keys_and_values_are_stacked_in_that_order():
    state = named(*HF)
    layout = recognise(state)
    stacked = in_maes_names(layout, state)["blocks.0.attn.qkv.weight"]
    parts = [f"encoder.layer.0.attention.attention.{x}.weight" for x in QKV]
    assert stacked.tolist() == [state[part].item() for part in parts]
    state[parts[1]] = torch.zeros(3)
    with pytest.raises(BadCheckpoint, match=r"key.weight has shape \[3\]; expected"):
        in_maes_names(layout, state)


QKV = ("query", "key", "value")


@pytest.mark.parametrize("key", HF)
def test_a_missing_key_is_named_in_its_own_layout(key):
    state = named(*HF)
    layout = recognise(state)
    del state[key]
    if key == "embeddings.cls_token":  # a ViT may have none
        assert "cls_token" not in in_maes_names(layout, state)
        return
    with pytest.raises(BadCheckpoint, match=f"{re.escape(key)} is missing"):
        in_maes_names(layout, state)


def test_a_gap_between_blocks_is_a_missing_key():
    state = full() | {k.replace("s.1", "s.2"): v for k, v in full().items()}
    state = {key: value for key, value in state.items() if "s.1" not in key}
    with pytest.raises(BadCheckpoint, match=r"blocks\.1\.norm1\.weight is missing"):
        in_maes_names(recognise(state), state)


def test_a_block_of_a_great_number_makes_no_great_number_of_blocks():
    state = full() | {f"blocks.300000.{x}.weight": torch.ones(D) for x in BLOCK}
    with pytest.raises(BadCheckpoint, match=r"blocks\.2\.norm1\.weight is missing"):
        in_maes_names(recognise(state), state)


@pytest.mark.parametrize("words", [("ls1.gamma", "ls2.gamma"), ("gamma_1", "gamma_2")])
def test_layer_scales_are_multiplied_into_what_they_scale(words):
    state = full()
    scales = {f"blocks.{i}.{w}": torch.rand(D) for i in range(2) for w in words}
    found = in_maes_names(recognise(state | scales), state | scales)
    for i in range(2):
        for word, part in zip(words, ("attn.proj", "mlp.fc2"), strict=True):
            for n in range(D):
                scale = scales[f"blocks.{i}.{word}"][n]
                for kind in ("weight", "bias"):
                    key = f"blocks.{i}.{part}.{kind}"
                    assert torch.equal(found[key][n], state[key][n] * scale)
    changed = {k for k, v in found.items() if not torch.equal(v, state[k])}
    assert len(changed) == 8


def test_layer_scales_that_are_lost_or_do_not_fit_are_refused():
    scales = {f"blocks.{i}.ls{w}.gamma": torch.ones(D) for i in (0, 1) for w in (1, 2)}
    state = full() | scales
    del state["blocks.1.ls2.gamma"]
    with pytest.raises(BadCheckpoint, match="3 layer scales in 2 blocks"):
        in_maes_names(recognise(state), state)
    state["blocks.1.ls2.gamma"] = torch.ones(D + 1)
    with pytest.raises(BadCheckpoint, match=r"ls2.gamma has shape \[9\]; expected \[8"):
        in_maes_names(recognise(state), state)


def test_biases_that_no_block_has_are_zeros_and_one_that_is_lost_is_missed():
    state = {k: v for k, v in full().items() if not k.endswith("qkv.bias")}
    found = in_maes_names(recognise(state), state)
    assert torch.equal(found["blocks.1.attn.qkv.bias"], torch.zeros(3 * D))
    state["blocks.0.attn.qkv.bias"] = torch.zeros(3 * D)
    with pytest.raises(BadCheckpoint, match=r"blocks.1.attn.qkv.bias is missing"):
        in_maes_names(recognise(state), state)


def ours() -> ViT:
    return ViT(
        torch.Generator().manual_seed(0),
        image_size=4,
        channels=3,
        patch_size=2,
        embed_dim=D,
        depth=1,
        num_heads=2,
    )


def test_ours_get_their_places_from_what_is_said_and_are_refused_without():
    vit = ours()
    facts = Facts(patch_size=2, image_size=4)
    found = in_maes_names(recognise(vit.state_dict()), vit.state_dict(), facts)
    assert torch.equal(found["pos_embed"][0], vit.positions)
    kernel = found["patch_embed.proj.weight"].permute(0, 2, 3, 1).flatten(1)
    assert torch.equal(kernel, vit.patch_embed.weight)
    for lacking in (Facts(), Facts(patch_size=2), Facts(patch_size=3, image_size=9)):
        with pytest.raises(BadCheckpoint, match="expected a checkpoint of Lightning's"):
            in_maes_names(recognise(vit.state_dict()), vit.state_dict(), lacking)


@pytest.mark.parametrize("key", sorted(set(full()) - {"pos_embed"}))
def test_every_shape_is_held_against_the_widths(key):
    state = full()
    layout = recognise(state)
    check_shapes(layout, in_maes_names(layout, state))
    grown = torch.zeros([side + 4 for side in state[key].shape])
    if key in ("patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"):
        key = key.replace("weight", "bias")  # whose width these tell
        state[key] = torch.zeros(99)
    else:
        state[key] = grown
    with pytest.raises(BadCheckpoint, match=rf"{re.escape(key)} has shape \["):
        check_shapes(layout, in_maes_names(layout, state))
