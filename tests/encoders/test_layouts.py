import re

import pytest
import torch
from torch import Tensor

from mae_bench.encoders.layouts import (
    LAYOUTS,
    BadCheckpoint,
    in_maes_names,
    mae_keys,
    recognise,
)

# As they are listed in each project's own checkpoints, one block, no decoder.
TIMM = [
    "cls_token",
    "pos_embed",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
    "blocks.0.norm1.weight",
    "blocks.0.norm1.bias",
    "blocks.0.attn.qkv.weight",
    "blocks.0.attn.qkv.bias",
    "blocks.0.attn.proj.weight",
    "blocks.0.attn.proj.bias",
    "blocks.0.norm2.weight",
    "blocks.0.norm2.bias",
    "blocks.0.mlp.fc1.weight",
    "blocks.0.mlp.fc1.bias",
    "blocks.0.mlp.fc2.weight",
    "blocks.0.mlp.fc2.bias",
    "norm.weight",
    "norm.bias",
]
MAE_DECODER = [
    "mask_token",
    "decoder_pos_embed",
    "decoder_embed.weight",
    "decoder_embed.bias",
    "decoder_blocks.0.norm1.weight",
    "decoder_blocks.0.norm1.bias",
    "decoder_blocks.0.attn.qkv.weight",
    "decoder_blocks.0.attn.qkv.bias",
    "decoder_blocks.0.attn.proj.weight",
    "decoder_blocks.0.attn.proj.bias",
    "decoder_blocks.0.norm2.weight",
    "decoder_blocks.0.norm2.bias",
    "decoder_blocks.0.mlp.fc1.weight",
    "decoder_blocks.0.mlp.fc1.bias",
    "decoder_blocks.0.mlp.fc2.weight",
    "decoder_blocks.0.mlp.fc2.bias",
    "decoder_norm.weight",
    "decoder_norm.bias",
    "decoder_pred.weight",
    "decoder_pred.bias",
]
LAYER = [
    "attention.attention.query",
    "attention.attention.key",
    "attention.attention.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
    "layernorm_before",
    "layernorm_after",
]
HF = [
    "embeddings.cls_token",
    "embeddings.position_embeddings",
    "embeddings.patch_embeddings.projection.weight",
    "embeddings.patch_embeddings.projection.bias",
    "layernorm.weight",
    "layernorm.bias",
]
HF += [f"encoder.layer.0.{x}.{k}" for x in LAYER for k in ("weight", "bias")]
HF_DECODER = [
    "decoder.mask_token",
    "decoder.decoder_pos_embed",
    "decoder.decoder_embed.weight",
    "decoder.decoder_embed.bias",
    "decoder.decoder_norm.weight",
    "decoder.decoder_norm.bias",
    "decoder.decoder_pred.weight",
    "decoder.decoder_pred.bias",
]
HF_DECODER += [
    f"decoder.decoder_layers.0.{x}.{k}" for x in LAYER for k in ("weight", "bias")
]


def named(*keys: str, placed: bool = True) -> dict[str, Tensor]:
    """Tensors of one number each, which is where the key stands in the list."""
    state = {key: torch.tensor([float(i)]) for i, key in enumerate(keys)}
    for key in state:
        if key.endswith(("pos_embed", "position_embeddings")):
            state[key] = torch.full((1, 5, 1), float(placed))
    return state


def below_vit(keys: list[str]) -> list[str]:
    return [f"vit.{key}" for key in keys]


CASES = {
    "the released encoder": (named(*TIMM, placed=False), "mae"),
    "the released MAE": (named(*TIMM, *MAE_DECODER), "mae"),
    "timm's ViT": (named(*TIMM, "head.weight", "head.bias"), "timm_vit"),
    "timm's ViT without a head": (named(*TIMM), "timm_vit"),
    "an MAE with a probe": (named(*TIMM, "head.1.weight", placed=False), "timm_vit"),
    "timm's ViT without a class token": (named(*TIMM[1:], placed=False), "timm_vit"),
    "ViTModel": (named(*HF, "pooler.dense.weight"), "hf_vit"),
    "ViTForImageClassification": (
        named(*below_vit(HF), "classifier.weight", "classifier.bias"),
        "hf_vit",
    ),
    "ViTMAEModel": (named(*HF, placed=False), "hf_vit_mae"),
    "ViTMAEForPreTraining": (named(*below_vit(HF), *HF_DECODER), "hf_vit_mae"),
}


@pytest.mark.parametrize(("state", "name"), CASES.values(), ids=CASES)
def test_a_layout_is_told_by_its_keys(state, name):
    layout = recognise(state)
    assert layout.name == name
    assert layout.eps == (1e-12 if name.startswith("hf") else 1e-6)
    found = in_maes_names(layout, state)
    decoder = sum("mask_token" in key and "embeddings" not in key for key in state)
    cls = any("cls_token" in key for key in state)
    assert tuple(found) == mae_keys(1, decoder, cls_token=cls)


def test_maes_keys_are_the_released_ones_in_their_order():
    assert set(mae_keys(1)) == set(TIMM)
    assert set(mae_keys(1, 1)) == {*TIMM, *MAE_DECODER}
    root = ("cls_token", "pos_embed", "mask_token", "decoder_pos_embed")
    assert mae_keys(2, 1)[:4] == root
    assert mae_keys(2, 1)[-1] == "decoder_pred.bias"


def test_every_one_of_maes_keys_has_one_of_their_own_or_three():
    for layout in LAYOUTS.values():
        words = [layout.theirs(key) for key in mae_keys(2, 2)]
        flat = [word for some in words for word in some]
        assert len(set(flat)) == len(flat)
        stacked = 8 if layout.words else 0  # weight and bias in four blocks
        assert sum(len(some) == 3 for some in words) == stacked


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
    state = named(*TIMM, *(key.replace("s.0", "s.2") for key in TIMM if "s.0" in key))
    with pytest.raises(BadCheckpoint, match=r"blocks\.1\.norm1\.weight is missing"):
        in_maes_names(recognise(state), state)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ("blocks.0.ls1.gamma", "layer scale"),
        ("blocks.0.gamma_2", "layer scale"),
        ("encoder.layer.0.layer_scale1.lambda1", "layer scale"),
        ("reg_token", "register tokens"),
        ("embeddings.register_tokens", "register tokens"),
        ("dist_token", "a distillation token"),
        ("embeddings.distillation_token", "a distillation token"),
        ("blocks.0.attn.relative_position_bias_table", "relative positions"),
        ("rel_pos_bias.relative_position_index", "relative positions"),
        ("blocks.0.attn.q_norm.weight", "norms of queries and keys"),
        ("norm_pre.weight", "a norm before the blocks"),
        ("blocks.0.mlp.w12.weight", "a gated MLP"),
    ],
)
def test_encoders_that_compute_otherwise_are_refused_by_name(extra, what):
    keys = HF if extra.startswith(("encoder", "embeddings")) else TIMM
    with pytest.raises(BadCheckpoint, match=f"^{re.escape(extra)}: .* with {what}"):
        recognise(named(*keys, extra))


@pytest.mark.parametrize("keys", [["conv1.weight", "bn1.weight", "fc.bias"], []])
def test_what_is_no_vit_is_refused_with_what_it_has(keys):
    with pytest.raises(BadCheckpoint, match="no ViT that is known") as refused:
        recognise(named(*keys))
    assert (", ".join(keys) or "none") in str(refused.value)
    assert "hf_vit_mae" in str(refused.value)
