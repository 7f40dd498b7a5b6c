import re

import pytest
import torch
from torch import Tensor

from mae_bench.encoders.layouts import LAYOUTS, BadCheckpoint, recognise
from mae_bench.encoders.names import in_maes_names, mae_keys

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


def fifth(keys: list[str]) -> list[str]:
    """As transformers 5 has them in memory."""
    words = {
        "encoder.layer.": "layers.",
        "attention.attention.query": "attention.q_proj",
        "attention.attention.key": "attention.k_proj",
        "attention.attention.value": "attention.v_proj",
        "attention.output.dense": "attention.o_proj",
        "intermediate.dense": "mlp.fc1",
        "0.output.dense": "0.mlp.fc2",
    }
    for old, new in words.items():
        keys = [key.replace(old, new) for key in keys]
    return keys


def dinov2(keys: list[str]) -> list[str]:
    words = {
        "layernorm_before": "norm1",
        "layernorm_after": "norm2",
        "intermediate.dense": "mlp.fc1",
        "0.output.dense": "0.mlp.fc2",
        "^layers": "encoder.layer",
    }
    for old, new in words.items():
        keys = [re.sub(old, new, key) for key in keys]
    return keys


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
    "ViTModel of transformers 5": (named(*fifth(HF), "pooler.dense.weight"), "hf_vit"),
    "ViTMAEForPreTraining of transformers 5": (
        named(*below_vit(fifth(HF)), *fifth(HF_DECODER)),
        "hf_vit_mae",
    ),
    "ViTMAEForPreTraining as transformers 5 saves it": (
        named(
            *below_vit(HF),
            *(k.replace("decoder_layers", "decoder_encoder.layer") for k in HF_DECODER),
        ),
        "hf_vit_mae",
    ),
    "Dinov2Model": (
        named(*dinov2(HF), "embeddings.mask_token", placed=False),
        "hf_dinov2",
    ),
    "Dinov2Model of transformers 5": (named(*dinov2(fifth(HF))), "hf_dinov2"),
    "DINOv2 in chunks": (
        named(*(k.replace("blocks.0", "blocks.3.0") for k in TIMM), "mask_token"),
        "timm_vit",
    ),
}


@pytest.mark.parametrize(("state", "name"), CASES.values(), ids=CASES)
def test_a_layout_is_told_by_its_keys(state, name):
    layout = recognise(state)
    assert layout.name == name
    assert layout.eps == (1e-12 if name.startswith("hf_vit") else 1e-6)
    found = in_maes_names(layout, state)
    decoder = any("decoder_pos_embed" in key for key in state)
    cls = any("cls_token" in key for key in state)
    assert tuple(found) == mae_keys(1, decoder, cls_token=cls)


def test_every_one_of_maes_keys_has_one_of_their_own_or_three():
    for layout in LAYOUTS.values():
        words = [layout.theirs(key) for key in mae_keys(2, 2)]
        flat = [word for some in words for word in some]
        assert len(set(flat)) == len(flat)
        # Weight and bias in four blocks.
        stacked = 8 if layout.name.startswith("hf") else 0
        assert sum(len(some) == 3 for some in words) == stacked


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ("dist_token", "a distillation token"),
        ("embeddings.distillation_token", "a distillation token"),
        ("blocks.0.attn.relative_position_bias_table", "relative positions"),
        ("rel_pos_bias.relative_position_index", "relative positions"),
        ("blocks.0.attn.q_norm.weight", "norms of queries and keys"),
        ("norm_pre.weight", "a norm before the blocks"),
        ("blocks.0.mlp.w12.weight", "a gated MLP"),
        ("encoder.layer.0.mlp.weights_in.weight", "a gated MLP"),
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


def test_two_weights_of_one_name_are_refused():
    chunks = [k.replace("blocks.0", f"blocks.{i}.0") for i in (0, 1) for k in TIMM[4:]]
    with pytest.raises(BadCheckpoint, match=r"two weights are called blocks.0.norm1.w"):
        recognise(named(*TIMM[:4], *dict.fromkeys(chunks)))


ODD = {
    "is a single number": torch.tensor(1.0),
    "is empty": torch.zeros(0, 3),
    "has type complex64": torch.zeros(3, dtype=torch.complex64),
    "has type int8": torch.zeros(3, dtype=torch.int8),
    "has type bool": torch.zeros(3, dtype=torch.bool),
    "has type float8_e4m3fn": torch.zeros(3).to(torch.float8_e4m3fn),
    "is sparse": torch.zeros(3).to_sparse(),
    "is on no device": torch.zeros(3, device="meta"),
}


@pytest.mark.parametrize(("what", "tensor"), ODD.items(), ids=ODD)
@pytest.mark.parametrize("key", ["pos_embed", "blocks.0.attn.qkv.weight", "cls_token"])
def test_what_is_no_array_of_numbers_is_refused_by_name(what, tensor, key):
    with pytest.raises(BadCheckpoint, match=f"^{re.escape(key)} {what}; expected"):
        recognise(named(*TIMM) | {key: tensor})
    # Of what is left out nothing is asked.
    recognise(named(*TIMM) | {"head.weight": tensor})


def test_numbers_that_are_not_there_are_refused_before_room_is_made_for_them():
    state = named(*TIMM)
    state["blocks.0.mlp.fc1.weight"] = torch.zeros(1).expand(10**6, 10**5)
    with pytest.raises(BadCheckpoint, match=r"need 400000\d* bytes and hold"):
        recognise(state)
